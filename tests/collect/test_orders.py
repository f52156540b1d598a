"""Sequences that are ordered while others read the data set."""

import os
import signal
import time
from pathlib import Path

import pytest

from backsight.collect.orders import plan_order
from backsight.collect.plan import make_plan
from backsight.quality.validate import validate_dataset
from backsight.records.errors import UsageError
from backsight.storage.dataset import read_splits
from backsight.storage.layout import list_sequence_ids
from backsight.storage.orders import Order, list_orders, new_order_id, place_order, read_finished
from backsight.storage.read import read_sequence
from backsight.storage.sealed_json import write_sealed


def read_everything(root: Path) -> set[str]:
    """What a reader does that knows nothing of the collector: every sequence that is there is whole and has a split."""
    names = list_sequence_ids(root)
    for name in names:
        sequence = read_sequence(root, name)
        split = read_splits(root)[sequence.annotations.place_id]
        assert split == "train" or not name.startswith("order-")
    return set(names)


def test_orders_are_collected_while_others_read(fault_runs, runs):
    config = fault_runs.config_for(runs.folder / "live")
    assert runs.run(config)[0] == 0
    before = fault_runs.content_of(config.out)
    splits = read_splits(config.out)
    orders = [Order(new_order_id(), "smooth", 3), Order(new_order_id(), "sharp turns", 2, num_frames=5)]
    place_order(config.out, orders[0])
    runs.start(config, serve=3.0, seconds=0.05)
    seen: list[int] = [len(read_everything(config.out))]
    deadline = time.monotonic() + 60
    while read_finished(config.out, orders[1].order_id) is None and time.monotonic() < deadline:
        seen.append(len(read_everything(config.out)))
        if len(seen) == 3:
            place_order(config.out, orders[1])
    assert runs.finish() == (0, "took 2 orders\n")
    assert seen == sorted(seen)
    assert (seen[0], len(read_everything(config.out))) == (6, 11)
    assert len(set(seen)) > 2
    finished = [read_finished(config.out, order.order_id) for order in orders]
    assert [len(item.sequence_ids) for item in finished] == [3, 2]
    assert [item.order for item in finished] == orders
    assert list_orders(config.out) == []
    report = validate_dataset(config.out)
    assert report.findings == ()
    assert [note.problem for note in report.notes] == ["5 sequences beside the plan were ordered"]
    assert splits.items() <= read_splits(config.out).items()
    # The plan is resumed as if there were no orders, and leaves them alone.
    assert runs.run(config)[0] == 0
    assert before.items() <= fault_runs.content_of(config.out).items()
    assert len(list_sequence_ids(config.out)) == 11
    assert {place for place in read_splits(config.out) if place.startswith("order-")}


def test_an_order_that_was_killed_is_taken_again(fault_runs, runs):
    config = fault_runs.config_for(runs.folder / "killed")
    assert runs.run(config)[0] == 0
    order = Order(new_order_id(), "smooth", 5)
    place_order(config.out, order)
    pid = runs.start(config, serve=60.0, seconds=0.2)
    while len(list_sequence_ids(config.out)) < 8:
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    assert runs.finish()[0] == -signal.SIGKILL
    assert len(list_orders(config.out)) == 1
    assert runs.run(config, serve=0.1) == (0, "took 1 orders\n")
    assert len(read_finished(config.out, order.order_id).sequence_ids) == 5
    assert len(read_everything(config.out)) == 11


def test_a_signal_ends_the_service(fault_runs, runs):
    config = fault_runs.config_for(runs.folder / "signal")
    assert runs.run(config)[0] == 0
    pid = runs.start(config, serve=60.0)
    time.sleep(0.5)
    os.kill(pid, signal.SIGTERM)
    assert runs.finish() == (130, "")


def test_what_is_no_order_is_refused_and_does_not_stop_the_service(fault_runs, runs):
    config = fault_runs.config_for(runs.folder / "refused")
    assert runs.run(config)[0] == 0
    folder = config.out / ".orders"
    place_order(config.out, Order("a-unknown", "no such kind", 1))
    place_order(config.out, Order("b-stairs", "vertical motion", 1))
    (folder / "c-garbage.json").write_bytes(b"{")
    write_sealed(folder / "d-path.json", {"order_id": "../../d-path", "kind": "smooth", "count": 1})
    write_sealed(folder / "e-many.json", {"order_id": "e-many", "kind": "smooth", "count": 10**9})
    (folder / "f-folder.json").mkdir()
    place_order(config.out, Order("g-good", "smooth", 1))
    assert runs.run(config, serve=0.1) == (0, "took 7 orders\n")
    assert list_orders(config.out) == []
    done = {path.name: path for path in (folder / "done").iterdir()}
    assert "g-good.json" in done
    assert read_finished(config.out, "g-good").state == "done"
    refused = [read_finished(config.out, path.stem) for path in done.values() if path.suffix == ".json"]
    assert sorted(item.state for item in refused) == ["done", *["refused"] * 6]
    reasons = " | ".join(sorted(item.reason for item in refused))
    for word in ("no such kind", "c-garbage.json", "order_id", "is 1000000000", "f-folder.json"):
        assert word in reasons
    assert validate_dataset(config.out).findings == ()


def test_ordered_places_and_ids_are_no_plans(fault_runs, tmp_path):
    config = fault_runs.config_for(tmp_path, num_sequences=50)
    planned = make_plan(config)
    ordered, plans = plan_order(Order("x", "smooth", 20, challenges=("clutter", "motion_blur")), config)
    other = plan_order(Order("y", "smooth", 20), config)[1]
    assert len(plans) == 20
    for field in ("sequence_id", "place_id", "scene_id"):
        lists = [{getattr(plan, field) for plan in found} for found in (planned, plans, other)]
        assert len(set.union(*lists)) == sum(map(len, lists))
    assert {plan.challenges for plan in plans} == {("clutter", "motion_blur")}
    assert all("clutter=1" in plan.scene_id for plan in plans)
    assert ordered.out == config.out
    with pytest.raises(UsageError, match="challenge 'fog'"):
        plan_order(Order("x", "smooth", 1, challenges=("fog",)), config)


def test_an_order_needs_a_data_set(tmp_path):
    with pytest.raises(UsageError, match="is no data set"):
        place_order(tmp_path, Order(new_order_id(), "smooth", 1))
