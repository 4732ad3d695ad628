"""What tests of the stage on a GPU draw with."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import pytest

from tests.support.needs import needs


@pytest.fixture(scope="module")
def gl() -> Iterator[moderngl.Context]:
    """A context without a window."""
    try:
        context = moderngl.create_context(standalone=True, require=330, backend="egl")  # pyright: ignore[reportArgumentType]
    except (ImportError, ValueError, moderngl.Error) as error:
        needs(False, f"OpenGL 3.3 through EGL ({error})")
        raise
    yield context
    context.release()
