"""What faults do to one WebSocket session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fractal_testnet.faults.spec import Kind

if TYPE_CHECKING:
    from fractal_testnet.faults.board import FaultBoard

_CLOSING: tuple[Kind, ...] = ("ws_close", "down")


class WsFaults:
    """The questions of one session; `FaultBoard.open_session` makes it.

    Parameters
    ----------
    board : FaultBoard
        The exchange's faults.
    number : int
        The session's number: sessions are drawn by it, so the order of connecting decides.
    """

    def __init__(self, board: FaultBoard, number: int) -> None:
        self._board = board
        self._number = number
        self._opened_ms = board.now_ms()
        self._newest = board.newest

    def closed(self) -> bool:
        """Tell whether this session is to be closed.

        Notes
        -----
        A fault closes the sessions that were open when it began, even if it is over by the time
        they ask: at a high speed of the clock its seconds are short. Later ones live.
        """
        return any(
            self._board.touches(
                fault, f"session {self._number}", {"path": "ws", "session": self._number}
            )
            for kind in _CLOSING
            for fault in self._board.begun(kind)
            if fault.number > self._newest or fault.start_ms > self._opened_ms
        )

    def silent(self, stream_type: str, coin: str | None = None) -> bool:
        """Tell whether a message of a stream is to be swallowed.

        Parameters
        ----------
        stream_type : str
            The subscription's type, such as ``candle``.
        coin : str, optional
            Its asset, if it has one.
        """
        for fault in self._board.scheduled("ws_silent"):
            match = fault.spec.match
            if match.type not in (None, stream_type) or match.coin not in (None, coin):
                continue
            what = {"path": "ws", "session": self._number, "type": stream_type, "coin": coin}
            if self._board.touches(fault, f"{self._number} {stream_type} {coin}", what):
                return True
        return False
