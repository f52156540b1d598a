"""Errors a user can meet, each with the exit status of its kind."""


class BacksightError(Exception):
    """Something the user can act on: the message says what, where and what to do."""

    exit_status = 1


class UsageError(BacksightError):
    """The command or its configuration asks for something impossible."""

    exit_status = 2


class DataError(BacksightError):
    """A file on disk is missing, damaged or not what it should be; names file and field."""

    exit_status = 3

    def __init__(self, path: object, field: str, problem: str, advice: str = "") -> None:
        self.path = path
        self.field = field
        self.problem = problem
        super().__init__(f"{path}: {field}: {problem}" + (f" ({advice})" if advice else ""))


class EnvironmentProblem(BacksightError):  # noqa: N818 - 'EnvironmentError' is a builtin
    """The machine lacks something that the command needs."""

    exit_status = 4
