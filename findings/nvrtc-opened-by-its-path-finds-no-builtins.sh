#!/bin/sh
# NVRTC 13.0.88 (PyPI, nvidia-cuda-nvrtc, Linux): opened by its path, every compilation ends in error 7, "failed to
# open libnvrtc-builtins.so.13.0", though that file lies in the same folder: the library opens it by its name alone
# and has no search path of its own. Where the builtins were opened by their path before, the name is known to
# the loader, and the same compilation succeeds.
#
# What one would expect: a library finds its own parts beside itself, as cuBLAS from PyPI does.
# What it means here: a folder that no search path names is not enough; src/ops/cuda/driver.rs opens the
# builtins first where it found NVRTC in a folder of its own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --no-deps --target "$folder" nvidia-cuda-nvrtc==13.0.88
seen=$(for first in no yes; do
    python3 - "$folder" "$first" <<'PYTHON'
import ctypes, glob, os, sys
library = glob.glob(sys.argv[1] + "/nvidia/**/libnvrtc.so.13", recursive=True)[0]
if sys.argv[2] == "yes":
    ctypes.CDLL(glob.glob(os.path.dirname(library) + "/libnvrtc-builtins.so.*")[0])
nvrtc = ctypes.CDLL(library)
program = ctypes.c_void_p()
nvrtc.nvrtcCreateProgram(ctypes.byref(program), b"__global__ void f() {}", b"f.cu", 0, None, None)
print("builtins opened before:", sys.argv[2], "- error", nvrtc.nvrtcCompileProgram(program, 0, None))
PYTHON
done)
echo "$seen"
[ "$seen" = "builtins opened before: no - error 7
builtins opened before: yes - error 0" ] || { echo "not as described"; exit 1; }
echo "as described"
