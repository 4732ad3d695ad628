"""Offline training: motion and choreography in, a dancer pack of ONNX networks out."""

import os

# Before torch is imported. Its threads wait for one another by spinning, which starves those they wait for where
# another program has a core: of niceness 10 beside one such, 0.75 steps a second against 2.4; alone 10.0 against 9.8.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
