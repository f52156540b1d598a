import jaxtyping
import numpy as np
import pytest
import torch

from backsight.model.calibration import Calibration, Platt
from backsight.model.export import export_footprints, load_program, save_program
from backsight.model.frames import fit_frames
from backsight.records.errors import UsageError


@pytest.fixture
def unchecked():
    # Shapes are checked by running Python, which a traced program is free of.
    checked = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", checked)


def test_the_exported_path_says_what_the_model_says_also_when_loaded_again(own_model, tmp_path, unchecked):
    own_model.eval()
    own_model.calibration = Calibration(footprint=Platt(slope=0.7, offset=-0.3))
    random = np.random.default_rng(8)
    frames = random.integers(0, 256, (5, 96, 128, 3), dtype=np.uint8)
    wanted = own_model.predict(list(frames))
    program = export_footprints(own_model, 5)
    save_program(program, tmp_path / "new" / "footprints.pt2")
    rgb = fit_frames(frames, 128, 96).float() / 255
    with torch.no_grad():
        for path in (program.module(), load_program(tmp_path / "new" / "footprints.pt2")):
            maps, presence, bearing, distance_m = path(rgb)
            np.testing.assert_allclose(maps.numpy(), wanted.footprint, atol=1e-4)
            np.testing.assert_allclose(presence.numpy(), wanted.footprint_presence, atol=1e-4)
            np.testing.assert_allclose(bearing.numpy(), wanted.bearing, atol=1e-4)
            np.testing.assert_allclose(distance_m.numpy(), wanted.distance_m, atol=1e-4)
    assert not [name for name in program.state_dict if name.startswith("model.language")], (
        "weights that no footprint needs"
    )
    assert own_model.predict(list(frames), "the sofa").target.shape[0] == 1, "the model itself is left whole"


def test_what_cannot_be_exported_is_refused(own_model, tmp_path):
    with pytest.raises(UsageError, match="training mode"):
        export_footprints(own_model.train(), 5)
    with pytest.raises(UsageError, match="no history"):
        export_footprints(own_model.eval(), 1)
    with pytest.raises(UsageError, match="no such file"):
        load_program(tmp_path / "none.pt2")
