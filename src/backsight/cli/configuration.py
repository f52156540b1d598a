"""Configuration from YAML files and the command line, checked by the same pydantic models."""

import difflib
from pathlib import Path
from typing import Any, TypeVar

import tyro
import yaml
from pydantic import BaseModel, ValidationError

from backsight.records.errors import UsageError

Model = TypeVar("Model", bound=BaseModel)


def load_yaml(path: Path, model: type[Model]) -> Model:
    """Return the configuration that a YAML file holds.

    Raises:
        UsageError: the file is missing, is not YAML, or a key or value is not allowed; names file and key.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such configuration file")
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: must hold a mapping of options, holds {type(content).__name__}")
    return parse(content, model, str(path))


def parse(content: dict[str, Any], model: type[Model], origin: str) -> Model:
    """Return `content` as a checked configuration; `origin` names it in errors.

    Raises:
        UsageError: a key or value is not allowed.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise UsageError("\n".join(_explain(problem, model, origin) for problem in error.errors())) from error


def parse_arguments(model: type[Model], command: str, arguments: list[str]) -> Model:
    """Return the configuration of `--config FILE` with the other options laid over it.

    tyro prints usage errors itself and exits with status 2.
    """
    default: Model | None = None
    if "--config" in arguments:
        at = arguments.index("--config")
        if at + 1 == len(arguments):
            raise UsageError("--config needs a file")
        default = load_yaml(Path(arguments[at + 1]), model)
        arguments = arguments[:at] + arguments[at + 2 :]
    prog = f"backsight {command}"
    if default is None:
        return tyro.cli(model, prog=prog, description=model.__doc__, args=arguments)
    return tyro.cli(model, prog=prog, description=model.__doc__, args=arguments, default=default)


def _explain(problem: Any, model: type[BaseModel], origin: str) -> str:
    location = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{origin}: {location}: {problem['msg']}, got {problem['input']!r}"
    names = _field_names(model, problem["loc"][:-1])
    nearest = difflib.get_close_matches(str(problem["loc"][-1]), names, n=1)
    hint = f"; did you mean '{nearest[0]}'?" if nearest else f"; known here: {', '.join(names)}"
    return f"{origin}: {location}: unknown option{hint}"


def _field_names(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    for part in path:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
