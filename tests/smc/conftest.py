"""What tests of the kernels share."""

import sys

import pytest

import fractal_strategies.smc.confirmation  # noqa: F401  # so that its kernels are listed

KERNELS = sorted(
    (module_name, name)
    for module_name, module in list(sys.modules.items())
    if module_name.startswith("fractal_strategies.smc.")
    for name in vars(module)
    if name.endswith("_nb") and vars(module)[name].__module__ == module_name
)


@pytest.fixture
def uncompiled(monkeypatch):
    """Run every kernel as the Python it was written in: the debugger and coverage see it."""
    for module_name, name in KERNELS:
        # By module object: the package's attribute of a module's name is the detector in it.
        module = sys.modules[module_name]
        function = getattr(module, name)
        monkeypatch.setattr(module, name, getattr(function, "py_func", function))
