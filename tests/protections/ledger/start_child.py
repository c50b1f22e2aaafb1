"""Start child.py, quickly: the package's own import of freqtrade takes three seconds."""

import runpy
import sys
import types
from pathlib import Path

package = types.ModuleType("fractal_protections.portfolio")
package.__path__ = [str(Path(__file__).parents[3] / "fractal_protections/portfolio")]
sys.modules[package.__name__] = package
runpy.run_module("tests.protections.ledger.child", run_name="__main__")
