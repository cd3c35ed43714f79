"""The symbols of the emulator's world, about forty, chosen so that every kind of market occurs.

Names, sessions and price steps follow the real ones; prices, dates of splits and dividends are made up or rounded.
Nothing here is market data.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from .calendar import Hours
from .instrument import Instrument

__all__ = ["CATALOGUE", "find"]

_CRYPTO: Final = Hours("Etc/UTC", 0, 1440, weekdays=(0, 1, 2, 3, 4, 5, 6), session="24x7")
_US: Final = Hours(
    "America/New_York", 570, 960, pre=240, post=1200, closed="us", session="0930-1600", extended="0400-2000"
)
_US_INDEX: Final = Hours("America/New_York", 570, 960, closed="us", session="0930-1600")
_FOREX: Final = Hours("America/New_York", -420, 1020, session="1700-1700")
_CME: Final = Hours("America/Chicago", -420, 960, closed="cme", session="1700-1600")
_NYMEX: Final = Hours("America/New_York", -360, 1020, closed="cme", session="1800-1700")
_XETR: Final = Hours("Europe/Berlin", 540, 1050, closed="de", session="0900-1730")
_LSE: Final = Hours("Europe/London", 480, 990, closed="de", session="0800-1630")
_KRX: Final = Hours("Asia/Seoul", 540, 930, closed="kr", session="0900-1530")
_NSE: Final = Hours("Asia/Kolkata", 555, 930, closed="in", session="0915-1530")


def _pair(
    symbol: str,
    name: str,
    price: float,
    scale: int,
    listed: date,
    *,
    volume: float,
    base: str,
    currency: str,
    lots: int = 8,
    daily: float = 0.028,
    growth: float = 0.45,
    type: str = "spot",
    typespecs: tuple[str, ...] = ("crypto",),
) -> Instrument:
    exchange = {"BINANCE": "Binance", "BITSTAMP": "Bitstamp", "COINBASE": "Coinbase", "BYBIT": "Bybit"}
    prefix = symbol.partition(":")[0]
    return Instrument(
        symbol=symbol,
        description=name,
        type=type,
        typespecs=typespecs,
        hours=_CRYPTO,
        price=price,
        scale=scale,
        listed=listed,
        currency=currency,
        base=base,
        volume=volume,
        lots=lots,
        daily=daily,
        growth=growth,
        exchange=exchange[prefix],
        provider=prefix.lower(),
    )


def _stock(
    symbol: str,
    name: str,
    price: float,
    listed: date,
    *,
    volume: float,
    isin: str = "",
    daily: float = 0.018,
    growth: float = 0.1,
    type: str = "stock",
    typespecs: tuple[str, ...] = ("common",),
    splits: tuple[tuple[date, int], ...] = (),
    dividends: tuple[tuple[date, float], ...] = (),
) -> Instrument:
    prefix, _, ticker = symbol.partition(":")
    return Instrument(
        symbol=symbol,
        description=name,
        type=type,
        typespecs=typespecs,
        hours=_US,
        price=price,
        scale=100,
        listed=listed,
        volume=volume,
        daily=daily,
        growth=growth,
        gap=0.006,
        feed=f"BATS:{ticker}",
        exchange={"AMEX": "NYSE Arca"}.get(prefix, prefix),
        country="US",
        provider="ice",
        language="en",
        isin=isin,
        splits=splits,
        dividends=dividends,
    )


def _forex(symbol: str, name: str, price: float, scale: int, *, base: str, currency: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        description=name,
        type="forex",
        hours=_FOREX,
        price=price,
        scale=scale,
        listed=date(1999, 1, 4),
        currency=currency,
        base=base,
        volume=220_000,  # the volume of forex is the number of ticks
        daily=0.0055,
        gap=0.0006,
        exchange="FXCM",
        provider="fxcm",
    )


def _future(
    symbol: str, name: str, price: float, scale: int, minmov: int, hours: Hours, *, volume: float, daily: float
) -> Instrument:
    prefix = symbol.partition(":")[0]
    return Instrument(
        symbol=symbol,
        description=name,
        type="futures",
        typespecs=("continuous", "synthetic"),
        hours=hours,
        price=price,
        scale=scale,
        minmov=minmov,
        listed=date(2000, 3, 1),
        volume=volume,
        daily=daily,
        gap=0.002,
        rolls=True,
        exchange={"CME_MINI": "CME"}.get(prefix, prefix),
        country="US",
        provider="ice",
    )


def _index(
    symbol: str,
    name: str,
    price: float,
    listed: date,
    *,
    hours: Hours = _US_INDEX,
    delay: int = 0,
    feed: str = "",
    scale: int = 100,
    daily: float = 0.011,
) -> Instrument:
    return Instrument(
        symbol=symbol,
        description=name,
        type="index",
        typespecs=("main",),
        hours=hours,
        price=price,
        scale=scale,
        listed=listed,
        daily=daily,
        growth=0.08 if daily < 0.03 else 0.0,
        gap=0.004,
        plots="ohlc",
        delay=delay,
        feed=feed,
        country="US",
        provider="ice",
        language="en",
        pro_perm="nasdaq_gids" if delay else "",
    )


def _quarterly(first_year: int, last_year: int, amount: float, growth: float) -> tuple[tuple[date, float], ...]:
    """Ex-dates on the tenth of February, May, August and November, or the Monday after."""
    found = []
    for year in range(first_year, last_year + 1):
        for month in (2, 5, 8, 11):
            day = date(year, month, 10)
            if day.weekday() > 4:
                day = day.replace(day=10 + 7 - day.weekday())
            found.append((day, round(amount * growth ** (year - last_year), 4)))
    return tuple(found)


_PERPETUAL: Final = ("crypto", "perpetual", "defi")

CATALOGUE: Final[tuple[Instrument, ...]] = (
    # 24x7
    _pair("BINANCE:BTCUSDT", "Bitcoin / TetherUS", 88_700.0, 100, date(2017, 8, 17), volume=24_000,
          base="BTC", currency="USDT"),
    _pair("BINANCE:BTCUSD", "Bitcoin / US Dollar", 88_650.0, 100, date(2019, 9, 23), volume=16_000,
          base="BTC", currency="USD"),
    _pair("BINANCE:BTCEUR", "Bitcoin / Euro", 75_600.0, 100, date(2020, 1, 3), volume=2_600, lots=64,
          base="BTC", currency="EUR"),
    _pair("BINANCE:ETHUSDT", "Ethereum / TetherUS", 3_020.0, 100, date(2017, 8, 17), volume=380_000,
          base="ETH", currency="USDT", daily=0.034),
    _pair("BINANCE:ETHEUR", "Ethereum / Euro", 2_575.0, 100, date(2020, 1, 3), volume=28_000,
          base="ETH", currency="EUR", daily=0.034),
    _pair("BINANCE:ETHBTC", "Ethereum / Bitcoin", 0.03405, 100_000, date(2017, 7, 14), volume=42_000,
          base="ETH", currency="BTC", daily=0.02, growth=0.0),
    _pair("BINANCE:SOLUSDT", "SOL / TetherUS", 132.0, 100, date(2020, 8, 11), volume=3_900_000,
          base="SOL", currency="USDT", daily=0.042),
    _pair("BINANCE:XRPUSDT", "XRP / TetherUS", 1.88, 10_000, date(2018, 5, 4), volume=110_000_000, lots=1,
          base="XRP", currency="USDT", daily=0.038, growth=0.2),
    _pair("BINANCE:DOGEUSDT", "Dogecoin / TetherUS", 0.12633, 100_000, date(2019, 7, 5), volume=900_000_000,
          lots=1, base="DOGE", currency="USDT", daily=0.042, growth=0.3),
    _pair("BINANCE:BNBUSDT", "BNB / TetherUS", 858.0, 100, date(2017, 11, 6), volume=210_000,
          base="BNB", currency="USDT", daily=0.034),
    _pair("BINANCE:ADAUSDT", "Cardano / TetherUS", 0.3541, 10_000, date(2018, 4, 17), volume=120_000_000, lots=1,
          base="ADA", currency="USDT", daily=0.042, growth=0.2),
    _pair("BITSTAMP:BTCUSD", "Bitcoin / U.S. dollar", 88_640.0, 1, date(2011, 8, 18), volume=1_900, lots=64,
          base="BTC", currency="USD", typespecs=("crypto", "defi")),
    _pair("COINBASE:BTCUSD", "Bitcoin / US Dollar", 88_655.0, 100, date(2015, 1, 13), volume=9_800, lots=8,
          base="BTC", currency="USD", growth=0.45),
    _pair("COINBASE:ETHUSD", "Ethereum / US Dollar", 3_018.0, 100, date(2016, 5, 18), volume=120_000,
          base="ETH", currency="USD", daily=0.034),
    _pair("BYBIT:BTCUSDT.P", "BTCUSDT Perpetual Contract", 88_690.0, 10, date(2020, 3, 25), volume=64_000,
          base="BTC", currency="USDT", type="swap", typespecs=_PERPETUAL),
    _pair("BYBIT:ROCKETUSDT.P", "ROCKET🚀USDT Perpetual Contract", 0.7312, 10_000, date(2026, 8, 3),
          volume=30_000_000, lots=1, base="ROCKET", currency="USDT", type="swap", typespecs=_PERPETUAL,
          daily=0.08, growth=0.0),
    # US stocks and funds
    _stock("NASDAQ:AAPL", "Apple Inc.", 271.0, date(1980, 12, 12), volume=48_000_000, isin="US0378331005",
           growth=0.16, splits=((date(2014, 6, 9), 7), (date(2020, 8, 31), 4)),
           dividends=_quarterly(2013, 2026, 0.26, 1.07)),
    _stock("NASDAQ:MSFT", "Microsoft Corp.", 473.0, date(1986, 3, 13), volume=22_000_000, isin="US5949181045",
           growth=0.15, dividends=_quarterly(2005, 2026, 0.91, 1.1)),
    _stock("NASDAQ:NVDA", "NVIDIA Corp.", 188.8, date(1999, 1, 22), volume=180_000_000, isin="US67066G1040",
           growth=0.28, daily=0.028, splits=((date(2021, 7, 20), 4), (date(2024, 6, 10), 10))),
    _stock("NASDAQ:AMD", "Advanced Micro Devices, Inc.", 223.4, date(1983, 3, 21), volume=34_000_000,
           daily=0.032),
    _stock("NASDAQ:TSLA", "Tesla, Inc.", 438.0, date(2010, 6, 29), volume=76_000_000, daily=0.033, growth=0.3,
           splits=((date(2020, 8, 31), 5), (date(2022, 8, 25), 3))),
    _stock("NASDAQ:AMZN", "Amazon.com, Inc.", 226.5, date(1997, 5, 15), volume=41_000_000, growth=0.2,
           splits=((date(2022, 6, 6), 20),)),
    _stock("NASDAQ:META", "Meta Platforms, Inc.", 650.4, date(2012, 5, 18), volume=13_000_000, daily=0.024),
    _stock("NASDAQ:GOOGL", "Alphabet Inc.", 315.1, date(2004, 8, 19), volume=32_000_000,
           splits=((date(2022, 7, 18), 20),)),
    _stock("NASDAQ:QQQ", "Invesco QQQ Trust, Series 1", 613.1, date(1999, 3, 10), volume=52_000_000,
           type="fund", typespecs=("etf",), daily=0.013),
    _stock("AMEX:SPY", "State Street SPDR S&P 500 ETF Trust", 683.2, date(1993, 1, 29), volume=70_000_000,
           type="fund", typespecs=("etf",), daily=0.011, dividends=_quarterly(2000, 2026, 1.99, 1.06)),
    _stock("NYSE:IBM", "International Business Machines Corporation", 291.5, date(1962, 1, 2), volume=4_200_000,
           growth=0.06, dividends=_quarterly(1990, 2026, 1.68, 1.05)),
    _stock("NYSE:KO", "Coca-Cola Company", 69.1, date(1962, 1, 2), volume=15_000_000, daily=0.01, growth=0.07,
           splits=((date(2012, 8, 13), 2),)),
    _stock("NYSE:GME", "GameStop Corporation", 20.6, date(2002, 2, 13), volume=6_000_000, daily=0.045,
           growth=0.02, splits=((date(2022, 7, 22), 4),)),
    _stock("NASDAQ:FRSH2", "Freshly Listed Holdings, Inc.", 31.0, date(2026, 9, 14), volume=2_500_000,
           daily=0.03, growth=0.0),
    # forex 24x5
    _forex("FX:EURUSD", "Euro / U.S. Dollar", 1.17192, 100_000, base="EUR", currency="USD"),
    _forex("FX:GBPUSD", "British Pound / U.S. Dollar", 1.34563, 100_000, base="GBP", currency="USD"),
    _forex("FX:USDJPY", "U.S. Dollar / Japanese Yen", 156.84, 1_000, base="USD", currency="JPY"),
    _forex("FX:EURJPY", "Euro / Japanese Yen", 183.81, 1_000, base="EUR", currency="JPY"),
    _forex("FX:USDCHF", "U.S. Dollar / Swiss Franc", 0.79241, 100_000, base="USD", currency="CHF"),
    # continuous futures
    _future("CME_MINI:ES1!", "E-mini S&P 500 Futures", 6_900.0, 100, 25, _CME, volume=1_500_000, daily=0.011),
    _future("CME_MINI:NQ1!", "E-mini Nasdaq-100 Futures", 25_380.0, 100, 25, _CME, volume=600_000, daily=0.014),
    _future("NYMEX:CL1!", "Light Crude Oil Futures", 57.32, 100, 1, _NYMEX, volume=330_000, daily=0.022),
    _future("COMEX:GC1!", "Gold Futures", 4_332.0, 10, 1, _NYMEX, volume=190_000, daily=0.01),
    # indices: five values
    _index("SP:SPX", "S&P 500", 6_858.5, date(1970, 1, 2)),
    _index("TVC:DXY", "U.S. Dollar Index", 98.42, date(1985, 1, 2), hours=_FOREX, scale=1_000, daily=0.005),
    _index("CBOE:VIX", "CBOE Volatility Index", 14.5, date(1990, 1, 2), daily=0.06),
    _index("NASDAQ:NDX", "NASDAQ 100", 25_206.0, date(1985, 10, 1), delay=900, feed="NASDAQ_DLY:NDX"),
    # other places, zones and scripts
    Instrument(symbol="XETR:SAP", description="SAP SE", type="stock", typespecs=("common",), hours=_XETR,
               price=203.1, scale=100, minmov=5, listed=date(1998, 8, 3), currency="EUR", volume=1_700_000,
               daily=0.015, gap=0.005, delay=900, feed="XETR_DLY:SAP", exchange="XETR", country="DE",
               provider="ice", language="de", pro_perm="xetr", isin="DE0007164600"),
    Instrument(symbol="LSE:VOD", description="Vodafone Group PLC", type="stock", typespecs=("common",),
               hours=_LSE, price=98.6, scale=100, minmov=2, listed=date(1988, 10, 27), currency="GBX",
               volume=48_000_000, gap=0.004, exchange="LSE", country="GB", provider="ice", language="en"),
    Instrument(symbol="KRX:005930", description="Samsung Electronics Co., Ltd.", type="stock",
               typespecs=("common",), hours=_KRX, price=128_500.0, scale=1, minmov=100, listed=date(1990, 1, 3),
               currency="KRW", volume=16_000_000, gap=0.006, growth=0.12, exchange="KRX", country="KR",
               provider="ice", local_description="삼성전자보통주", language="ko", isin="KR7005930003"),
    Instrument(symbol="NSE:RELIANCE", description="Reliance Industries Limited", type="stock",
               typespecs=("common",), hours=_NSE, price=1_592.0, scale=100, minmov=10, listed=date(1996, 1, 1),
               currency="INR", volume=9_000_000, gap=0.005, growth=0.12, exchange="NSE", country="IN",
               provider="ice", language="hi", isin="INE002A01018"),
)  # fmt: skip
"""Every symbol, in the order in which the search lists equals and a bare ticker is looked up."""

_BY_NAME: Final[dict[str, Instrument]] = {
    name.upper(): item for item in reversed(CATALOGUE) for name in (item.ticker, item.full_name, item.symbol)
}


def find(name: str) -> Instrument | None:
    """Return the symbol of this name: canonical, of the feed, or a bare ticker (the first one listed)."""
    return _BY_NAME.get(name.upper())
