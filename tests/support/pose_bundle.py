"""A bundle of the pose landmarker for tests, made of the npm package `@mediapipe/pose`; nothing of it is kept here.

The package holds both networks as its own runtime reads them. MediaPipe's Tasks want to be told, in metadata that lies
in each network, how pictures are scaled: the detector takes -1..1, the network of landmarks 0..1.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import Any

import numpy as np

ENVIRONMENT = "POSE_PACKAGE"  # the variable that names the package, as `npm pack` has left it
DETECTOR = "package/pose_solution_packed_assets.data"
LANDMARKS = "package/pose_landmark_{size}.tflite"


def filled(table: Any, **values: Any) -> Any:
    """A table of a flatbuffer with these values."""
    for name, value in values.items():
        setattr(table, name, value)
    return table


def describe(network: bytes, mean: float, std: float) -> bytes:
    """A TensorFlow Lite network with metadata that says how its pictures are scaled: less `mean`, over `std`."""
    import flatbuffers
    from mediapipe.tasks.metadata import metadata_schema_py_generated as about
    from mediapipe.tasks.metadata import schema_py_generated as schema

    scaled = filled(about.NormalizationOptionsT(), mean=[mean], std=[std])
    unit = filled(about.ProcessUnitT(), optionsType=about.ProcessUnitOptions.NormalizationOptions, options=scaled)
    colours = filled(about.ImagePropertiesT(), colorSpace=about.ColorSpaceType.RGB)
    content = filled(
        about.ContentT(), contentPropertiesType=about.ContentProperties.ImageProperties, contentProperties=colours
    )
    picture = filled(about.TensorMetadataT(), name="image", content=content, processUnits=[unit])
    graph = filled(about.SubGraphMetadataT(), inputTensorMetadata=[picture])
    builder = flatbuffers.Builder(0)
    builder.Finish(filled(about.ModelMetadataT(), name="pose", subgraphMetadata=[graph]).Pack(builder), b"M001")
    note = filled(schema.BufferT(), data=np.frombuffer(bytes(builder.Output()), np.uint8))

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(network), 0))
    model.buffers.append(note)
    entry = filled(schema.MetadataT(), name="TFLITE_METADATA", buffer=len(model.buffers) - 1)
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(network) + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def make_bundle(package: bytes, size: str = "full") -> bytes:
    """The bundle out of the package, a .tgz, with the landmarks of `size`, lite or full."""
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        networks = []
        for name in (DETECTOR, LANDMARKS.format(size=size)):
            member = archive.extractfile(name)
            assert member is not None
            networks.append(member.read())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as bundle:
        bundle.writestr("pose_detector.tflite", describe(networks[0], 127.5, 127.5))
        bundle.writestr("pose_landmarks_detector.tflite", describe(networks[1], 0.0, 255.0))
    return out.getvalue()
