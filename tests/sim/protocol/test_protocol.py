"""Every backend passes every check of the protocol."""

from backsight.sim.simulator import Navigation, Simulator


def test_check(check, bench):
    check(bench)


def test_a_simulator_is_one(bench):
    assert isinstance(bench.simulator, Simulator)
    assert isinstance(bench.navigation, Navigation)
    assert bench.simulator.name
    assert bench.simulator.version
