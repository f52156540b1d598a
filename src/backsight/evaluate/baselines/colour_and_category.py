"""Both clues of an instruction at once, without learning: the named colour where the named category tends to be."""

from backsight.evaluate.baselines.colours import colour_naming_prediction
from backsight.evaluate.baselines.dataset_mean import TrainingMeans, category_mean_prediction
from backsight.evaluate.baselines.question import Answer, Question, TargetAnswer, answer_prediction
from backsight.records.prediction import Prediction


def colour_and_category_prediction(question: Question, means: TrainingMeans) -> Prediction:
    """Return the product of colour naming and category mean; the category mean where no colour is named.

    Args:
        question: what is asked.
        means: of the training split.
    """
    colour = colour_naming_prediction(question)
    category = category_mean_prediction(question, means)
    target, presence = category.target.copy(), category.target_presence.copy()
    for row, instruction in enumerate(question.sample.instructions[: len(target)]):
        if instruction.colour is not None:
            target[row] *= colour.target[row]
            presence[row] *= colour.target_presence[row]
    return answer_prediction(question, Answer("colour_and_category", targets=TargetAnswer(target, presence)))
