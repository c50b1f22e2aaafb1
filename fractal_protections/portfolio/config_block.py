"""Reading the `fractal` block of freqtrade's config, with errors that say what to change."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

KNOWN_BLOCKS = ("limits", "portfolio", "strategy")
"""Everything that may stand directly under ``fractal``."""

Model = TypeVar("Model", bound=BaseModel)


def read_block(config: Mapping[str, Any], name: str, model: type[Model]) -> Model:
    """Validate ``fractal.<name>`` of a freqtrade config.

    Parameters
    ----------
    config
        freqtrade's merged config.
    name
        One of :data:`KNOWN_BLOCKS`; a missing block is read as empty, so all defaults.
    model
        The typed model of the block.

    Returns
    -------
    Model
        The block's values.

    Raises
    ------
    ValueError
        A key is unknown, or a value does not fit; the message names each key with its value and
        the reason.
    """
    fractal = config.get("fractal")
    fractal = {} if fractal is None else fractal
    if not isinstance(fractal, Mapping):
        # One kind of error for every bad config, whatever is wrong with it.
        raise ValueError(  # noqa: TRY004
            f"config: fractal = {fractal!r}: give a block of keys and values"
        )
    unknown = sorted({str(key) for key in fractal} - set(KNOWN_BLOCKS))
    if unknown:
        names = ", ".join(f"fractal.{key}" for key in unknown)
        raise ValueError(
            f"config: {names} is unknown (known blocks: {', '.join(KNOWN_BLOCKS)}); "
            "correct or remove it"
        )
    block = fractal.get(name)
    try:
        return model.model_validate({} if block is None else block)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(('fractal', name, *map(str, problem['loc'])))} = "
            f"{problem['input']!r}: {problem['msg']}"
            for problem in error.errors()
        )
        raise ValueError(
            f"config: {problems} (known keys: {', '.join(model.model_fields)})"
        ) from error
