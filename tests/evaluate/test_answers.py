from dataclasses import replace

import msgspec
import pytest

from backsight.evaluate.answers import commonest_answers
from backsight.evaluate.baselines.oracle import oracle_prediction
from backsight.evaluate.prediction_files import INDEX_NAME, read_predictions, write_predictions
from backsight.evaluate.samples import SequenceSource
from backsight.evaluate.score import score_predictions
from backsight.evaluate.truth import target_maps
from backsight.metrics.answers import normalised_answer, pointed_right
from backsight.records.errors import DataError


def answered(question, answers):
    return replace(oracle_prediction(question), answers=tuple(answers))


def scored(tmp_path, source, config, predictions):
    write_predictions(tmp_path, predictions)
    return {row.metric: row for row in score_predictions([tmp_path], source, config) if "reasoning" in row.metric}


def test_answers_are_written_and_read_back_and_may_be_left_out(all_questions, tmp_path):
    written = [answered(q, [f"says {n} « ünïcode »" for n in range(3)]) for q in all_questions[:2]]
    write_predictions(tmp_path, [*written, oracle_prediction(all_questions[2])])
    assert [p.answers for p in read_predictions(tmp_path)] == [*(p.answers for p in written), ()]
    index = msgspec.json.decode((tmp_path / INDEX_NAME).read_bytes())
    for entry in index["entries"]:
        del entry["answers"]
    (tmp_path / INDEX_NAME).write_bytes(msgspec.json.encode(index))
    assert [p.answers for p in read_predictions(tmp_path)] == [(), (), ()]


def test_another_number_of_answers_is_refused(all_questions, tmp_path):
    with pytest.raises(DataError, match="holds 2 texts for 3 instructions"):
        write_predictions(tmp_path, [answered(all_questions[0], ["one", "two"])])


def test_right_answers_are_counted_by_reasoning_type(all_questions, source, config, tmp_path):
    told = [[i.answer.upper() for i in q.sample.instructions] for q in all_questions]
    told[0][0], told[1][2] = "seen in the kitchen", ""
    rows = scored(tmp_path, source, config, [answered(q, t) for q, t in zip(all_questions, told, strict=True)])
    kinds = [i.reasoning_type for i in all_questions[0].sample.instructions]
    assert rows["reasoning_accuracy"].value == pytest.approx(1 - 2 / 12)
    assert (rows["reasoning_accuracy"].maps, rows["reasoning_accuracy"].places) == (12, 2)
    assert rows[f"reasoning_accuracy@{kinds[0]}"].value == pytest.approx(3 / 4)
    assert rows[f"reasoning_accuracy@{kinds[1]}"].value == 1.0
    assert rows[f"reasoning_accuracy@{kinds[2]}"].value == pytest.approx(3 / 4)
    # The oracle's maps are right wherever a keyframe shows the target; both need the words too.
    hits, both = [], []
    for question, texts in zip(all_questions, told, strict=True):
        maps, present = target_maps(
            question.sequence, question.keyframes, question.sample.instructions, config.fit_of(question.sequence)
        )
        oracle = oracle_prediction(question)
        hits += list(pointed_right(oracle.target, oracle.target_presence, maps, present))
        true = [normalised_answer(i.answer) for i in question.sample.instructions]
        both += [float(normalised_answer(t) == a) for t, a in zip(texts, true, strict=True)]
    assert rows["reasoning_hit"].value == pytest.approx(sum(hits) / 12)
    assert rows["reasoning_both"].value == pytest.approx(sum(h * b for h, b in zip(hits, both, strict=True)) / 12)


def test_the_commonest_training_answer_is_what_chance_says(all_questions, source, config, tmp_path):
    rows = scored(tmp_path, source, config, [answered(q, ["x"] * 3) for q in all_questions])
    commonest = commonest_answers(source)
    asked = [i for q in all_questions for i in q.sample.instructions]
    share = sum(normalised_answer(i.answer) == commonest.overall for i in asked) / len(asked)
    assert rows["reasoning_accuracy_chance"].value == pytest.approx(share)
    assert 0 < share < 1
    for kind in {i.reasoning_type for i in asked}:
        assert rows[f"reasoning_accuracy_chance@{kind}"].value == 1.0
    assert rows["reasoning_accuracy"].value == rows["reasoning_both"].value == 0.0


def test_chance_is_read_from_the_training_split(make_dataset, tmp_path):
    root = make_dataset(tmp_path / "set", places=3, frames=3)
    assert commonest_answers(SequenceSource(root, "test")) == commonest_answers(SequenceSource(root, "train"))


def test_predictors_and_instructions_without_words_have_no_rows(all_questions, source, config, tmp_path):
    assert not scored(tmp_path, source, config, [oracle_prediction(q) for q in all_questions])
    silent = [
        replace(
            s,
            annotations=msgspec.structs.replace(
                s.annotations,
                instructions=tuple(msgspec.structs.replace(i, answer="") for i in s.annotations.instructions),
            ),
        )
        for s in source.in_memory
    ]
    told = [answered(q, ["", "", ""]) for q in all_questions]
    assert not scored(tmp_path, SequenceSource(in_memory=tuple(silent)), config, told)
