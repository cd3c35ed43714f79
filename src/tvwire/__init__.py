"""tvwire: an unofficial client of TradingView's real-time API.

Not affiliated with TradingView; TradingView is a trademark of TradingView, Inc. Its terms restrict automated
and non-display use: whether and how you use this is your decision.

Example:
    >>> import tvwire
    >>> tvwire.candles("NASDAQ:AAPL", "1D", count=3).meta.timezone
    'America/New_York'
"""

from __future__ import annotations

from .client.async_client import AsyncClient
from .client.blocking_quotes import BlockingQuoteStream
from .client.blocking_stream import BlockingCandleStream
from .client.fetch import Progress
from .client.load import load_settings
from .client.quote_stream import QuoteStats, QuoteStream
from .client.shared import candles, quotes, search, shared_client, symbol
from .client.status import StreamStats, StreamStatus
from .client.stream import CandleStream
from .client.sync_client import Client
from .errors import (
    AuthenticationError,
    BadCredentials,
    Blocked,
    CaptchaRequired,
    Closed,
    ConnectFailed,
    ConnectionLost,
    DecodeError,
    FrameError,
    HttpRejected,
    InputError,
    LeaseLost,
    LimitReached,
    NetworkError,
    NotFound,
    PayloadTooLarge,
    PlanRequired,
    ProtocolError,
    RateLimited,
    ReconnectExhausted,
    ReplayError,
    RequestError,
    RequestTimeout,
    ResourceError,
    SeriesError,
    SessionExpired,
    SlowConsumer,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreTooNew,
    StudyError,
    SymbolNotFound,
    TimeframeNotAvailable,
    TvWireError,
    TwoFactorRequired,
    UnexpectedMessage,
)
from .models import Candle, CandleEvent, Candles, CandlesBatch, CandlesMeta
from .quote import Quote, QuotesBatch
from .rest.search import SymbolHit
from .secret import Secret
from .settings import Backoff, Endpoints, Limits, Settings, Timeouts
from .symbols import SymbolInfo
from .timeframe import Timeframe
from .version import __version__

__all__ = [
    "AsyncClient",
    "AuthenticationError",
    "Backoff",
    "BadCredentials",
    "Blocked",
    "BlockingCandleStream",
    "BlockingQuoteStream",
    "Candle",
    "CandleEvent",
    "CandleStream",
    "Candles",
    "CandlesBatch",
    "CandlesMeta",
    "CaptchaRequired",
    "Client",
    "Closed",
    "ConnectFailed",
    "ConnectionLost",
    "DecodeError",
    "Endpoints",
    "FrameError",
    "HttpRejected",
    "InputError",
    "LeaseLost",
    "LimitReached",
    "Limits",
    "NetworkError",
    "NotFound",
    "PayloadTooLarge",
    "PlanRequired",
    "Progress",
    "ProtocolError",
    "Quote",
    "QuoteStats",
    "QuoteStream",
    "QuotesBatch",
    "RateLimited",
    "ReconnectExhausted",
    "ReplayError",
    "RequestError",
    "RequestTimeout",
    "ResourceError",
    "Secret",
    "SeriesError",
    "SessionExpired",
    "Settings",
    "SlowConsumer",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreLocked",
    "StoreTooNew",
    "StreamStats",
    "StreamStatus",
    "StudyError",
    "SymbolHit",
    "SymbolInfo",
    "SymbolNotFound",
    "Timeframe",
    "TimeframeNotAvailable",
    "Timeouts",
    "TvWireError",
    "TwoFactorRequired",
    "UnexpectedMessage",
    "__version__",
    "candles",
    "load_settings",
    "quotes",
    "search",
    "shared_client",
    "symbol",
]
