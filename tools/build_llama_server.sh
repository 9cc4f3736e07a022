#!/bin/bash
# Builds llama-server, an independent peer for the slow tests, from the llama-cpp-python sdist.
# About 10 CPU minutes. Prints the path of the binary.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=target/llama-server
binary=$PWD/$folder/build/bin/llama-server
if [ ! -x "$binary" ]; then
  mkdir -p $folder/source
  python3 -m venv $folder/venv
  $folder/venv/bin/pip install --quiet cmake ninja
  $folder/venv/bin/pip download --quiet --no-deps --no-binary llama-cpp-python \
    llama-cpp-python==0.3.36 --dest $folder
  tar xzf $folder/llama_cpp_python-0.3.36.tar.gz --directory $folder/source --strip-components 1
  export PATH=$PWD/$folder/venv/bin:$PATH
  cmake -S $folder/source/vendor/llama.cpp -B $folder/build -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_CURL=OFF \
    -DGGML_OPENMP=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF >&2
  nice ninja -C $folder/build -j "${JOBS:-1}" llama-server >&2
fi
echo "$binary"
