"""The drills themselves, one module for each kind of misfortune."""

from fractal_ops.drills.drill import Drill
from fractal_ops.drills.scenes import crash, feeds, happy, network, orders, restart, storage

DRILLS: tuple[Drill, ...] = (
    *happy.DRILLS,
    *network.DRILLS,
    *orders.DRILLS,
    *crash.DRILLS,
    *restart.DRILLS,
    *feeds.DRILLS,
    *storage.DRILLS,
)


def by_name() -> dict[str, Drill]:
    """Return all drills by their names, in their order."""
    return {drill.name: drill for drill in DRILLS}
