"""What to do about what Habitat says or shows: the pitfalls that its users report most."""

import re

_ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"No module named '?(habitat_sim|magnum|quaternion|numpy)",
        "habitat_sim is not installed for this Python: give the Python of Habitat's conda environment "
        "(docs/habitat.md has the lines that make one)",
    ),
    (
        r"unable to find CUDA device|unable to find EGL device|eglQueryDevicesEXT|BAD_ALLOC|cannot get default EGL",
        "no graphics device for Habitat. With an NVIDIA GPU: its EGL library must be visible (in a container set "
        "NVIDIA_DRIVER_CAPABILITIES=all), and chosen before Mesa's with __EGL_VENDOR_LIBRARY_FILENAMES="
        "/usr/share/glvnd/egl_vendor.d/10_nvidia.json. Without one: --habitat-gpu -1 renders on the CPU through Mesa "
        "(MAGNUM_DEVICE=n chooses among several). MIG slices and CUDA_VISIBLE_DEVICES renumber devices: EGL may not",
    ),
    (
        r"WindowlessContext|Platform::Windowless|cannot create context|GL::Context",
        "no OpenGL context: the build with a window system needs a display; install the one that says 'headless', or "
        "--habitat-gpu -1 for Mesa",
    ),
    (
        r"numpy\.core\.multiarray failed|numpy\.dtype size changed|_ARRAY_API",
        "habitat_sim was built for another numpy: conda builds up to 0.3.3 need numpy below 2",
    ),
    (
        r"libEGL|libGL|libOpenGL",
        "a graphics library is missing: install libegl1 and libgl1 (Mesa) or the NVIDIA driver's EGL files",
    ),
    (
        r"Importing Basis files as",
        "this scene has Basis-compressed textures; on Mesa and WSL that importer is known to crash: use an NVIDIA GPU, "
        "or the data set's files without '.basis'",
    ),
)

NO_SEMANTICS = (
    "the scene has {objects} labelled objects and its semantic pictures show {ids} different ids: nothing can be asked "
    "about. HM3D, Replica, MP3D and Gibson need --scene-dataset FILE.scene_dataset_config.json (for HM3D the one that "
    "says 'annotated')"
)
UNLIT = (
    "the scene is unlit: colours are the scan's own, and its lighting can't be changed. --habitat-lighting default "
    "lights it"
)
HOLES = "{share:.0%} of the pixels show no surface: holes of the scan, or the camera looks out of it"
FOREIGN_NAMES = "{unnamed} of {objects} objects have names that stand for none of our categories: nothing asks for them"
BOXLESS = "{boxless} of {objects} objects have no box in the data; they count as nothing"
LABELS_MISSING = "{unknown:.0%} of the pixels show ids that belong to no listed object; they count as nothing"


def advice_for(words: str) -> str:
    """Return what to do about the last words of a worker.

    Args:
        words: The end of its standard error.
    """
    for pattern, advice in _ADVICE:
        if re.search(pattern, words):
            return advice
    return "backsight doctor --habitat-python PATH --habitat-debug shows all that Habitat says"
