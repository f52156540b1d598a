"""One scene on the device that renders it, with the objects that have moved."""

from typing import Any, no_type_check

import numpy as np
import warp as wp
from jaxtyping import Float64, Int32

from backsight.records.errors import UsageError
from backsight.sim.embedded import visibility_raster, visibility_raster_fine, visibility_rays
from backsight.sim.embedded.clusters import ClusteredFaces, cluster_faces
from backsight.sim.embedded.lighting import tracing
from backsight.sim.embedded.lighting.bake import bake_light
from backsight.sim.embedded.lighting.burning import lamps_and_sky
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.render_options import RenderOptions
from backsight.sim.embedded.scene_arrays import Face, Mover
from backsight.sim.embedded.scene_upload import check_faces, upload_lamps, upload_scene
from backsight.sim.embedded.warp_device import WARP_LOCK
from backsight.sim.simulator import Lighting

wp.set_module_options({"enable_backward": False, "fast_math": False})


@wp.kernel
@no_type_check
def take_out(indices: wp.array[wp.int32], faces: wp.array[wp.int32]):
    """Shrink a face to its first corner, so that no ray meets it."""
    corner = faces[wp.tid()] * 3
    indices[corner + 1] = indices[corner]
    indices[corner + 2] = indices[corner]


@wp.kernel
@no_type_check
def put_back(indices: wp.array[wp.int32], faces: wp.array[wp.int32], corners: wp.array[wp.int32]):
    """Give a face its corners again."""
    index = wp.tid()
    corner = faces[index] * 3
    for side in range(3):
        indices[corner + side] = corners[index * 3 + side]


@wp.kernel
@no_type_check
def assign_body(records: wp.array[Face], faces: wp.array[wp.int32], body: int):
    """Say which body some faces belong to."""
    face = faces[wp.tid()]
    record = records[face]
    record.body = body
    records[face] = record


class DeviceScene:
    """A scene's arrays, its tree for rays and its clusters for the rasteriser.

    Moving an object changes a rotation and a shift. Only its first move costs more, where pictures trace rays: its
    faces are taken out of the scene's tree, whose structure stays, and get a small tree of their own.

    Args:
        scene: what to render.
        device: Warp device.
        options: how to.

    Raises:
        ValueError: indices of the scene point nowhere.
    """

    def __init__(self, scene: PackedScene, device: Any, options: RenderOptions) -> None:
        check_faces(scene)
        self._scene = scene
        self._device = device
        self._options = options
        self._traced = options.shadows or not rasterises(options, device)
        self.version = 0
        """Rises whenever `arrays` holds other values than before."""
        with WARP_LOCK:
            wp.load_module(device=device)
            self._mesh = self._tree(scene.vertices_m, scene.faces)
        self._baked = bake_light(scene, self._mesh, device)
        self.arrays: Any = upload_scene(scene, self._mesh, self._baked.face_light, device)
        self.arrays.shadow_rays = int(options.shadows)
        self.light(Lighting())
        self._body_of: dict[int, int] = {}
        self._own_trees: list[Any] = []
        self._own_faces: list[Int32[np.ndarray, " faces"]] = []
        bodies = len(np.unique(scene.face_instance)) + 1
        self._rotations = np.tile(np.eye(3, dtype=np.float32), (bodies, 1, 1))
        self._shifts = np.zeros((bodies, 3), dtype=np.float32)
        self.arrays.body_rotation = wp.array(self._rotations, dtype=wp.mat33, device=device)
        self.arrays.body_shift = wp.array(self._shifts, dtype=wp.vec3, device=device)
        self._describe_movers()
        self.clusters: Any = None
        if rasterises(options, device):
            self._clustered = cluster_faces(scene)
            self.clusters = self._upload_clusters(self._clustered)

    @property
    def has_moved(self) -> bool:
        """Whether any object has a tree of its own."""
        return len(self._own_trees) > 0

    def move(self, instance_id: int, rotation: Float64[np.ndarray, "3 3"], shift_m: Float64[np.ndarray, "3"]) -> None:
        """Put an object elsewhere.

        Args:
            instance_id: of faces of the scene.
            rotation: turns it from where it was loaded; then comes the shift.
            shift_m: world frame.

        Raises:
            UsageError: the scene has no faces of that id.
        """
        body = self._body_of.get(instance_id)
        if body is None:
            body = self._make_movable(instance_id)
        self._rotations[body] = rotation
        self._shifts[body] = shift_m
        for array, values, kind in (
            (self.arrays.body_rotation, self._rotations, wp.mat33),
            (self.arrays.body_shift, self._shifts, wp.vec3),
        ):
            if self._device.is_cpu:
                array.numpy()[body] = values[body]
            else:
                wp.copy(array, wp.array(values[body : body + 1], dtype=kind, device="cpu"), dest_offset=body, count=1)

    def restore(self) -> None:
        """Put everything back to where it was loaded, bit for bit."""
        for faces in self._own_faces:
            corners = wp.array(self._scene.faces[faces].reshape(-1), dtype=wp.int32, device=self._device)
            indices = wp.array(faces, dtype=wp.int32, device=self._device)
            wp.launch(put_back, dim=len(faces), inputs=[self._mesh.indices, indices, corners], device=self._device)
            self._assign(faces, 0)
        moved_in_tree = self.has_moved
        self._body_of, self._own_trees, self._own_faces = {}, [], []
        if moved_in_tree:
            self._mesh.refit()
            self._describe_movers()

    def light(self, lighting: Lighting) -> None:
        """Change how the lamps burn; no ray is traced for it.

        Args:
            lighting: relative to the scene as it was built, not to what was set before.

        Raises:
            UsageError: values out of range, or a room that is not there.
        """
        colours, sky = lamps_and_sky(self._scene, lighting)
        self.arrays.light = self._baked.light(colours, sky, direct=not self._options.shadows)
        self.arrays.sky = wp.vec3(*sky.tolist())
        upload_lamps(self.arrays, self._scene, colours, self._device)
        self.version += 1

    def _tree(self, points_m: np.ndarray, faces: np.ndarray) -> Any:
        """Return triangles as a Warp mesh."""
        return wp.Mesh(
            points=wp.array(points_m, dtype=wp.vec3, device=self._device),
            indices=wp.array(faces.reshape(-1), dtype=wp.int32, device=self._device),
            bvh_constructor=self._options.bvh,
            bvh_leaf_size=self._options.bvh_leaf_faces,
        )

    def _make_movable(self, instance_id: int) -> int:
        """Give an object a tree of its own and return the number of its body."""
        faces = np.flatnonzero(self._scene.face_instance == instance_id).astype(np.int32)
        if len(faces) == 0:
            raise UsageError(f"renderer: nothing in the scene has the instance id {instance_id}")
        body = len(self._body_of) + 1
        self._body_of[instance_id] = body
        self._own_faces.append(faces)
        self._assign(faces, body)
        if self._traced:
            self._move_to_own_tree(faces)
        return body

    def _move_to_own_tree(self, faces: Int32[np.ndarray, " faces"]) -> None:
        """Take faces out of the scene's tree and give them one of their own."""
        vertices, own = np.unique(self._scene.faces[faces], return_inverse=True)
        with WARP_LOCK:
            self._own_trees.append(self._tree(self._scene.vertices_m[vertices], own.astype(np.int32)))
        indices = wp.array(faces, dtype=wp.int32, device=self._device)
        wp.launch(take_out, dim=len(faces), inputs=[self._mesh.indices, indices], device=self._device)
        self._mesh.refit()
        self._describe_movers()

    def _assign(self, faces: Int32[np.ndarray, " faces"], body: int) -> None:
        """Make faces part of a body, 0 being what stands still."""
        indices = wp.array(faces, dtype=wp.int32, device=self._device)
        wp.launch(assign_body, dim=len(faces), inputs=[self.arrays.faces, indices, body], device=self._device)
        if self.clusters is not None:
            instance = int(self._scene.face_instance[faces[0]])
            self.clusters.body.numpy()[self._clustered.instance == instance] = body
            slots = self.clusters.slot_instance.numpy() == instance
            self.clusters.slot_body.numpy()[slots] = body

    def _describe_movers(self) -> None:
        """Tell the ray query of every object that has a tree of its own; one entry at least: no array is empty."""
        record: Any = Mover
        movers = np.zeros(max(len(self._own_trees), 1), dtype=record.numpy_dtype())
        begin = 0
        for number, (tree, faces) in enumerate(zip(self._own_trees, self._own_faces, strict=True)):
            corners = self._scene.vertices_m[self._scene.faces[faces]].reshape(-1, 3)
            movers[number] = (tree.id, number + 1, begin, corners.min(axis=0) - 1e-4, corners.max(axis=0) + 1e-4)
            begin += len(faces)
        own = np.concatenate([*self._own_faces, np.zeros(1, dtype=np.int32)])
        self.arrays.movers = wp.array(movers, dtype=Mover, device=self._device)
        self.arrays.mover_face = wp.array(own, dtype=wp.int32, device=self._device)
        self.arrays.mover_count = len(self._own_trees)
        self.version += 1

    def _upload_clusters(self, clustered: ClusteredFaces) -> Any:
        """Return clusters as the rasteriser's structure."""
        instance = np.where(clustered.slot_face >= 0, self._scene.face_instance[clustered.slot_face], 0)
        clusters: Any = visibility_raster.Clusters()
        clusters.count = len(clustered.boxes)
        extent_m = float(np.linalg.norm(np.ptp(self._scene.vertices_m, axis=0)))
        clusters.buckets_per_m = visibility_raster.BUCKETS / max(extent_m, 1e-6)
        for name, values, kind in (
            ("soup", clustered.soup.reshape(-1), wp.float32),
            ("boxes", clustered.boxes.reshape(-1), wp.float32),
            ("first_block", clustered.first_block, wp.int32),
            ("slot_face", clustered.slot_face, wp.int32),
            ("slot_instance", instance.astype(np.int32), wp.int32),
            ("slot_body", np.zeros(len(clustered.slot_face), dtype=np.int32), wp.int32),
            ("body", np.zeros(len(clustered.boxes), dtype=np.int32), wp.int32),
        ):
            setattr(clusters, name, wp.array(values, dtype=kind, device=self._device))
        clusters.body_rotation = self.arrays.body_rotation
        clusters.body_shift = self.arrays.body_shift
        return clusters


def rasterises(options: RenderOptions, device: Any) -> bool:
    """Return whether visibility comes from the rasteriser.

    Args:
        options: of the renderer.
        device: Warp device.

    Raises:
        UsageError: the rasteriser is asked for on CUDA.
    """
    if options.visibility == "raster" and not device.is_cpu:
        raise UsageError("renderer: visibility 'raster' is for the CPU; use 'auto' or 'rays'")
    return device.is_cpu and options.visibility != "rays"


def load_kernels(options: RenderOptions, samples: int, device: Any) -> None:
    """Compile or fetch what a renderer launches.

    Args:
        options: of the renderer.
        samples: per pixel and axis.
        device: Warp device.
    """
    modules = [visibility_rays]
    if rasterises(options, device):
        modules = [visibility_raster, visibility_raster_fine] if samples > 1 else [visibility_raster]
    with WARP_LOCK:
        wp.load_module(tracing, device=device)
        for module in modules:
            wp.load_module(module, device=device, block_dim=visibility_rays.BLOCK)
