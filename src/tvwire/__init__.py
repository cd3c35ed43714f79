"""tvwire: an unofficial client of TradingView's real-time API.

Not affiliated with TradingView; TradingView is a trademark of TradingView, Inc. Its terms restrict automated
and non-display use: whether and how you use this is your decision.
"""

from __future__ import annotations

from .errors import *  # noqa: F403
from .models import Candle, Candles, CandlesBatch, CandlesMeta, SymbolInfo
from .secret import Secret
from .settings import Backoff, Endpoints, Limits, Settings, Timeouts
from .timeframe import Timeframe

__version__ = "0.1.0"
