"""The peers of benchmarks/speed.py, one file a family, each run in a process of its own: `python -m peers PEER WORK`.

A peer is a function (work, pace) that trains for ever on the work's objects, calling `pace.begin()` before every
epoch and `pace.end()` after it; the parent decides when the next epoch begins. All have the layers, batch and
optimiser (Adam) that peers/work.py says, float32 unless their name says otherwise, and no validation, logging or
progress bar where they can be switched off.
"""

PEERS = {
    "narrows": "ours:fit_float32",
    "narrows engine": "ours:engine_float32",
    "narrows bf16": "ours:fit_bf16",
    "narrows bf16, batch 256": "ours:fit_bf16_256",
    "narrows, 8 stacked": "ours:stacked",
    "narrows train": "ours:command",
    "matrix products": "ours:products",
    "one autograd step": "loops:lean",
    "plain loop": "loops:plain",
    "tutorial": "loops:tutorial",
    "pyod": "with_pyod:train",
    "pythae": "with_pythae:train",
    "lightning": "with_lightning:train",
    "skorch": "with_skorch:train",
    "sklearn": "with_sklearn:train",
    "keras-torch": "with_keras:train",
    "keras-jax": "with_keras:train",
}
"""Name -> file and function."""

ENVIRONMENT = {
    "keras-torch": {"KERAS_BACKEND": "torch"},
    "keras-jax": {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
    # The bar is drawn as for a terminal, though nobody reads it.
    "narrows train": {"FORCE_COLOR": "1", "TERM": "xterm-256color"},
}
"""What must be set before a peer is imported."""
