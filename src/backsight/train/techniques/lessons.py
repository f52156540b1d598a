"""What a run's teachers say of each batch, and the terms that follow from it."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from backsight.losses.total import Term
from backsight.model.backsight import Backsight
from backsight.model.outputs import Footprints, Targets
from backsight.model.question import Question
from backsight.records.batch import Batch
from backsight.train.techniques.average import WeightAverage
from backsight.train.techniques.config import TechniquesConfig
from backsight.train.techniques.pseudo_labels import pseudo_label_terms
from backsight.train.techniques.teacher import Shown, distillation_terms, load_teacher


@dataclass(frozen=True)
class Lessons:
    """What the teachers say of one batch."""

    distillation: Shown | None
    pseudo_labels: Shown | None


class Teachers:
    """All teachers of a run: earlier models, and the run's own averaged weights.

    Args:
        techniques: of the run.
        student: that is trained.
        average: of its weights, where the run averages.

    Raises:
        DataError: a teacher's folder holds no whole model.
        UsageError: a teacher does not fit the student.
    """

    def __init__(self, techniques: TechniquesConfig, student: Backsight, average: WeightAverage | None) -> None:
        self._techniques, self._student, self._average = techniques, student, average
        self._models: dict[str, Backsight] = {}
        asked = [techniques.distillation.teacher]
        if techniques.pseudo_labels.enabled:
            asked.append(techniques.pseudo_labels.teacher)
        for folder in asked:
            if folder is not None and str(folder) not in self._models:
                self._models[str(folder)] = load_teacher(folder, student)

    @torch.no_grad()
    def show(
        self,
        images: Tensor,
        question: Question,
        current: Tensor,
        history: Tensor,
        alone: Bool[Tensor, " batch"],
    ) -> Lessons:
        """Return what each teacher says; call it before the student's own forward pass.

        Args:
            images: as in `Backsight.forward`.
            question: likewise.
            current: likewise.
            history: likewise.
            alone: samples that have no truth; pseudo labels are made for them only.
        """
        said: dict[str, Shown] = {}

        def ask(name: str) -> Shown:
            if name not in said:
                said[name] = Shown(*self._models[name](images, question, current, history)[1:])
            return said[name]

        distilled = self._techniques.distillation.teacher
        pseudo = self._techniques.pseudo_labels
        labels = None
        if pseudo.enabled and alone.any():
            labels = (
                self._averaged(images, question, current, history)
                if pseudo.teacher is None
                else ask(str(pseudo.teacher))
            )
        return Lessons(None if distilled is None else ask(str(distilled)), labels)

    def _averaged(self, images: Tensor, question: Question, current: Tensor, history: Tensor) -> Shown:
        if self._average is None:
            raise ValueError("pseudo labels of averaged weights need techniques.average")
        training = self._student.training
        with self._average.inside(self._student):
            self._student.eval()
            try:
                return Shown(*self._student(images, question, current, history)[1:])
            finally:
                self._student.train(training)

    def terms(
        self, batch: Batch, footprints: Footprints, targets: Targets, lessons: Lessons, alone: Bool[Tensor, " batch"]
    ) -> dict[str, Term]:
        """Return the terms that hold the student to its teachers.

        Args:
            batch: that all have seen.
            footprints: of the student.
            targets: of the student.
            lessons: of `show`.
            alone: as in `show`.
        """
        terms: dict[str, Term] = {}
        if lessons.distillation is not None:
            temperature = self._techniques.distillation.temperature
            terms |= distillation_terms(batch, footprints, targets, lessons.distillation, temperature)
        if lessons.pseudo_labels is not None:
            shown = lessons.pseudo_labels.footprints, lessons.pseudo_labels.targets
            pseudo = self._techniques.pseudo_labels
            calibration = (self._student if pseudo.teacher is None else self._models[str(pseudo.teacher)]).calibration
            terms |= pseudo_label_terms(batch, (footprints, targets), shown, calibration, alone, pseudo)
        return terms
