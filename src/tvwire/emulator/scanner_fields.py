"""The names of the scanner's columns that are neither prices nor technical (docs/protocol.md, sections 7.3, 9.2).

Only names: which of them the emulator has values for is said in ``fundamentals.py``; the others are null, as they are
for most symbols of the real service. A name that is not known is an error of the request.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CANDLE_PATTERNS", "is_field", "is_framed"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CANDLE_PATTERNS: Final = _words(
    """
    3BlackCrows 3WhiteSoldiers AbandonedBaby.Bearish AbandonedBaby.Bullish DarkCloudCover.Bearish Doji
    Doji.Dragonfly Doji.Gravestone DojiStar.Bearish DojiStar.Bullish DownsideTasukiGap.Bearish Engulfing.Bearish
    Engulfing.Bullish EveningDojiStar.Bearish EveningStar FallingThreeMethods.Bearish FallingWindow.Bearish Hammer
    HangingMan Harami.Bearish Harami.Bullish HaramiCross.Bearish HaramiCross.Bullish InvertedHammer
    Kicking.Bearish Kicking.Bullish LongShadow.Lower LongShadow.Upper Marubozu.Black Marubozu.White
    MorningDojiStar.Bullish MorningStar OnNeck.Bearish Piercing.Bullish RisingThreeMethods.Bullish
    RisingWindow.Bullish ShootingStar SpinningTop.Black SpinningTop.White TriStar.Bearish TriStar.Bullish
    TweezerBottom.Bullish TweezerTop.Bearish UpsideTasukiGap.Bullish
    """
)
"""What follows ``Candle.``."""

_PLAIN: Final = _words(
    """
    High.1M.Date High.3M.Date High.6M.Date High.All.Calc High.All.Calc.Date Low.1M.Date Low.3M.Date Low.6M.Date
    Low.After.High.All Low.All.Calc Low.All.Calc.Date Perf.1M.MarketCap Perf.1W.MarketCap Perf.1Y.MarketCap
    Perf.3M.MarketCap Perf.5Y.MarketCap Perf.6M.MarketCap Perf.YTD.MarketCap VWAP gap_down gap_down_abs gap_up
    gap_up_abs Open.All.Calc active_symbol actively_managed after_tax_margin all_time_high all_time_high_day
    all_time_low all_time_low_day all_time_open amount_recent amount_upcoming asset_class aum aum_perf.1M
    aum_perf.1Y aum_perf.3M aum_perf.3Y aum_perf.5Y aum_perf.YTD bars_count base_currency_kind
    basic_eps_net_income beta_1_year beta_3_year beta_5_year brand buyback_yield cash_ratio category cfi_code
    continuous_dividend_growth continuous_dividend_payout country country_code_fund coupon
    cryptoasset-info.description cryptoasset-info.id currency currency_hedged_flag currency_id currency_kind
    current_ratio current_session current_yield daily-bar.time days_to_maturity debt_to_assets debt_to_equity
    dividend_amount_recent dividend_amount_upcoming dividend_ex_date_recent dividend_ex_date_upcoming
    dividend_frequency_recent dividend_frequency_upcoming dividend_payment_date_recent
    dividend_payment_date_upcoming dividend_treatment dividend_yield_recent dividend_yield_upcoming
    dividends_frequency dividends_paid dividends_yield earnings_per_share_basic_cagr_5y
    earnings_release_calendar_date earnings_release_date earnings_release_next_calendar_date
    earnings_release_next_date earnings_release_next_time earnings_release_time earnings_yield ebitda
    enterprise_value_ebit_fwd enterprise_value_ebitda_fwd enterprise_value_sales_fwd etf_fund_currency
    etf_holdings_count ex_dividend_date_recent ex_dividend_date_upcoming exchange expected_annual_dividends
    expense_ratio expiration first_bar_time float_shares_outstanding focus fractional free_cash_flow
    free_cash_flow_cagr_5y frequency_recent frequency_upcoming fund_flows.1M fund_flows.1Y fund_flows.3M
    fund_flows.3Y fund_flows.5Y fund_flows.YTD fundamental_currency_code goodwill gross_margin gross_profit
    has_ipo_data has_ipo_details_visible holdings_region holds_derivatives_flag index index_id index_priority
    index_provider indexes indicated_annual_dividend indicators_bars_count industry inverse_flag
    ipo_announcement_date ipo_blank_check_flag ipo_deal_amount_usd ipo_market_cap_usd ipo_offer_date
    ipo_offer_price_performance ipo_offer_price_usd ipo_offer_time ipo_offered_shares ipo_offered_shares_primary
    ipo_offered_shares_secondary ipo_price_range_usd_max ipo_price_range_usd_min ipo_shares_outstanding
    ipo_splitfactor_to_offer is_blacklisted is_primary is_shariah_compliant is_symbol_primary_listing issuer
    k1_form kind kind-delay last-price-update-time last-price-update-time-intraday last_annual_eps
    last_annual_revenue last_bar_update_time last_report_frequency launch_date leverage leverage_ratio
    leveraged_flag long_term_capital low_after_high_all_change low_after_high_all_change_abs market
    market_cap_basic market_cap_calc maturity_date minmov minmove2 minute-bar.time most_recent_quarter_date nav
    nav_discount_premium nav_perf.1M nav_perf.1Y nav_perf.3M nav_perf.3Y nav_perf.5Y nav_perf.YTD
    nav_total_return.1M nav_total_return.1Y nav_total_return.3M nav_total_return.3Y nav_total_return.5Y
    nav_total_return.6M nav_total_return.YTD net_debt net_income net_income_cagr_5y net_margin next_dividend_date
    niche number_of_employees number_of_shareholders operating_margin payment_date_recent payment_date_upcoming
    post_change postmarket_change postmarket_change_abs postmarket_close postmarket_high postmarket_low
    postmarket_open postmarket_time postmarket_volume pre_change pre_change_abs pre_tax_margin preferred_dividends
    premarket_change premarket_change_abs premarket_change_from_open premarket_change_from_open_abs
    premarket_close premarket_gap premarket_high premarket_low premarket_open premarket_time premarket_volume
    price_52_week_high price_52_week_high_date price_52_week_low price_52_week_low_date price_annual_book
    price_annual_sales price_book_fwd price_book_ratio price_earnings_fwd price_sales price_sales_fwd
    price_sales_ratio price_target_1y price_target_1y_delta price_target_average price_target_high
    price_target_low price_target_median price_to_cash_ratio pricescale provider-id quick_ratio rates_cf
    rates_dividend_recent rates_dividend_upcoming rates_mc rates_pt rates_time_series recommendation_buy
    recommendation_hold recommendation_mark recommendation_over recommendation_sell recommendation_total
    recommendation_under return_on_assets return_on_equity return_on_invested_capital revenue_per_employee rtc
    sector selection_criteria shares_outstanding source-logoid strategy submarket subsessions subtype
    sum_for_enterprise_value time time_business_day top_revenue_country_code total_assets total_capital
    total_current_assets total_debt total_revenue total_revenue_cagr_5y total_shares_outstanding
    total_shares_outstanding_calculated total_shares_outstanding_fundamental transparent_holding_flag type
    typespecs ucits_compliant_flag update-time update_mode update_time volume_change volume_change_abs
    weight_top_10 weight_top_25 weight_top_50 weighting_scheme yield_recent yield_upcoming
    """
)
_ELSEWHERE: Final = _words(
    """
    24h_vol_change_cmc 24h_vol_cmc 24h_vol_to_market_cap AnalystRating TechRating_1D TechRating_1H Value.Traded
    ask base_currency base-currency-logoid bid blockchain-id centralization circulating_supply coupon_frequency
    crypto_blockchain_ecosystems crypto_common_categories crypto_consensus_algorithms crypto_total_rank
    currency-logoid current_coupon description dex_total_liquidity dex_trading_volume_24h fully_diluted_value
    isin-displayed logo logoid market_cap_diluted_calc max_supply name source2 symbol ticker-view total_supply
    total_value_traded underlying_symbol underlying-symbol 24h_vol 24h_close_change dividends_per_share_fy EBITDA
    Perf.Y.MarketCap country_code cusip economic-category-id index_tracked ipo_offer_status ipo_price_range_usd isin
    market_cap total_shares_diluted value-unit-id
    """
)
"""Names that clients ask for and that the recorded list of fields does not hold."""
_ASKED: Final = _words(
    """
    ipo_offer_status ipo_price_range_usd
    24h_close_change_abs 24h_close_prev 24h_vol_change 24h_vol_change_abs 24h_vol_prev Bond.Change Bond.Change.%
    Bond.Currency Bond.Price Perf.Y.MarketCap accrued_coupon_interest active_addresses_ratio addresses_active
    addresses_new addresses_total addresses_zero_balance altrank amount_outstanding_ratio ask_iv ask_net ask_pct
    at_the_money_addresses_percentage average_transaction_usd average_volume_10d_calc_usd
    average_volume_30d_calc_usd average_volume_60d_calc_usd average_volume_90d_calc_usd avg_balance
    bid_ask_spread_pct bid_iv bid_net bid_pct bond_agents bond_fitch_outlook_lt bond_fitch_rating_lt
    bond_investment_grade bond_issuer_cr_parent bond_issuer_cr_parent_stock_symbol bond_issuer_snp_outlook_lt
    bond_issuer_snp_outlook_st bond_issuer_snp_rating_lt bond_issuer_snp_rating_lt_h bond_issuer_snp_rating_st
    bond_issuer_snp_rating_st_h bond_issuer_stock_symbol bond_issuer_type bond_moodys_rating_lt
    bond_snp_outlook_lt bond_snp_rating_lt bond_snp_rating_lt_h bond_type_gen break_even_addresses_percentage
    bus_day_conv_method call_frequency call_next_date call_next_price call_option candlestick
    circulating_to_max_supply_ratio close_1_days_back close_30_days_back close_365_days_back close_net close_pct
    close_usd contributorsactive contributorscreated conversion_option convexity country2 country_code
    country_fund coupon_change_type coupon_currency coupon_date_next coupon_date_prev coupon_daycount_type
    coupon_exdate_gap coupon_exdate_gap_sort coupon_link coupon_next_reset_date coupon_pmt_date_type
    coupon_rate_ceiling coupon_rate_floor coupon_reset_frequency coupon_type_current coupon_type_general
    coupon_underlying_index covenant credit_enhancement_status credit_enhancement_type crypto_categories
    crypto_code cusip daily-bar.close delta denom_increment denom_min dex_buy_volume_12h dex_buy_volume_15m
    dex_buy_volume_1h dex_buy_volume_24h dex_buy_volume_4h dex_buyers_12h dex_buyers_15m dex_buyers_1h
    dex_buyers_24h dex_buyers_4h dex_buys_12h dex_buys_15m dex_buys_1h dex_buys_24h dex_buys_4h dex_created_time
    dex_sell_volume_12h dex_sell_volume_15m dex_sell_volume_1h dex_sell_volume_24h dex_sell_volume_4h
    dex_sellers_12h dex_sellers_15m dex_sellers_1h dex_sellers_24h dex_sellers_4h dex_sells_12h dex_sells_15m
    dex_sells_1h dex_sells_24h dex_sells_4h dex_total_supply dex_trading_volume_12h dex_trading_volume_15m
    dex_trading_volume_1h dex_trading_volume_4h dex_txs_count_12h dex_txs_count_15m dex_txs_count_1h
    dex_txs_count_24h dex_txs_count_4h dex_txs_count_uniq_12h dex_txs_count_uniq_15m dex_txs_count_uniq_1h
    dex_txs_count_uniq_24h dex_txs_count_uniq_4h documents duration_type dv_01 economic-category-id f_spread
    final_redemption_amount first_bar_time_1d forex_exotic_priority forex_minor_priority forex_priority
    funding_rate g_spread galaxyscore gamma github_commits in_the_money_addresses_percentage index_tracked
    inflation_protection interactions ipo_deal_amount ipo_market_cap ipo_offer_price ipo_price_range
    ipo_price_range_max ipo_price_range_min isin issue_amount issue_date issue_status issuer_fitch_outlook_lt
    issuer_fitch_outlook_st issuer_fitch_rating_lt issuer_fitch_rating_st issuer_moodys_outlook_lt
    issuer_moodys_rating_lt issuer_moodys_rating_st issuer_snp_rating_lt issuer_snp_rating_st iv large_tx_count
    large_tx_volume_usd liquidations_volume_12h liquidations_volume_15m liquidations_volume_1h
    liquidations_volume_24h liquidations_volume_4h long_liquidations_volume_12h long_liquidations_volume_15m
    long_liquidations_volume_1h long_liquidations_volume_24h long_liquidations_volume_4h
    losses_addresses_percentage macaulay_duration make_whole_call_end_date make_whole_call_option
    make_whole_call_spread make_whole_call_start_date market_cap market_cap_to_tvl maturity-date maturity_type
    measure minute-bar.close modified_duration nominal_value nvt offer_date offer_price_pct offer_type
    open_interest open_interest_change_percent_12h open_interest_change_percent_15m
    open_interest_change_percent_1h open_interest_change_percent_24h open_interest_change_percent_4h
    open_interest_to_volume_24h option-type original_maturity out_the_money_addresses_percentage
    outstanding_amount ownership_form placement_type pledge_status poison_put_option popularity_rank postsactive
    postscreated premature_redemption principal_redemption_type product profit_addresses_percentage
    put_frequency put_next_date put_next_price put_option redemption_type redemptions_h region
    relative_volume_10d_calc_usd relative_volume_intraday relative_volume_intraday_usd rho root seniority_level
    sentiment short_liquidations_volume_12h short_liquidations_volume_15m short_liquidations_volume_1h
    short_liquidations_volume_24h short_liquidations_volume_4h sinking_fund social_responsibility
    social_volume_24h socialdominance strike telegram_members telegram_negative telegram_positive
    term-to-maturity theoPrice theta total_addresses_with_balance total_shares_diluted total_to_max_supply_ratio
    tvl tweets twitter_negative twitter_positive txs_count txs_volume txs_volume_usd unit-id use_of_proceeds
    value-unit-id vega velocity volume-type volume_base volume_quote years_to_maturity yield_to_call
    yield_to_maturity yield_to_put yield_to_worst ytm_to_ask ytm_to_bid ytw_to_ask ytw_to_bid z_spread
    """
)
"""Names that a client for screeners of every kind asks for. unverified: read in its lists of 2026."""
_FRAMED: Final = _words(
    """
    24h_close_change 24h_close_change_abs 24h_close_prev 24h_vol 24h_vol_change 24h_vol_change_abs 24h_vol_prev
    VWAP Value.Traded average_volume_10d_calc average_volume_10d_calc_usd average_volume_30d_calc
    average_volume_30d_calc_usd average_volume_60d_calc average_volume_60d_calc_usd average_volume_90d_calc
    average_volume_90d_calc_usd bars_count close_usd gap_down gap_down_abs gap_up gap_up_abs
    indicators_bars_count last_bar_update_time post_change pre_change pre_change_abs relative_volume_10d_calc
    relative_volume_10d_calc_usd relative_volume_intraday relative_volume_intraday_usd time update_mode
    volume_base volume_change volume_change_abs volume_quote
    """
)
"""Names that may have an interval and are not technical. unverified: read in the same lists."""
_STATEMENTS: Final = _words(
    """
    altman_z_score asset_turnover book_tangible_per_share book_value_per_share book_value_per_share_estimate
    capex_per_share capital_expenditures capital_expenditures_estimate capital_expenditures_qoq_growth
    capital_expenditures_unchanged capital_expenditures_yoy_growth cash_dividend_coverage_ratio
    cash_f_financing_activities cash_f_financing_activities_estimate cash_f_investing_activities
    cash_f_investing_activities_estimate cash_f_operating_activities cash_f_operating_activities_estimate
    cash_n_equivalents cash_n_short_term_invest cash_n_short_term_invest_estimate
    cash_n_short_term_invest_to_total_current_liabilities cash_n_short_term_invest_to_total_debt cash_per_share
    cost_of_goods_estimate current_ratio debt_to_asset debt_to_equity debt_to_revenue diluted_shares_outstanding
    dividend_payout_ratio dividend_payout_ratio_percent dividends_per_share dividends_yield
    dps_common_stock_prim_issue dps_common_stock_prim_issue_yoy_growth dps_estimate earnings earnings_per_share
    earnings_per_share_basic earnings_per_share_diluted earnings_per_share_diluted_5y_growth
    earnings_per_share_diluted_qoq_growth earnings_per_share_diluted_yoy_growth earnings_per_share_forecast
    earnings_per_share_forecast_next earnings_publication_type earnings_publication_type_next
    earnings_release_next_trading_date earnings_release_trading_date ebit ebit_estimate ebit_per_share ebitda
    ebitda_estimate ebitda_interst_cover ebitda_less_capex_interst_cover ebitda_margin ebitda_per_employee
    ebitda_per_share ebitda_qoq_growth ebitda_yoy_growth effective_interest_rate_on_debt enterprise_value
    enterprise_value_ebitda enterprise_value_to_ebit enterprise_value_to_free_cash_flow
    enterprise_value_to_gross_profit enterprise_value_to_revenue eps_diluted_growth_percent eps_estimate
    eps_surprise eps_surprise_percent fiscal_period fiscal_period_end fixed_assets_turnover
    float_shares_outstanding float_shares_percent free_cash_flow free_cash_flow_estimate free_cash_flow_margin
    free_cash_flow_per_employee free_cash_flow_per_share free_cash_flow_qoq_growth free_cash_flow_yoy_growth
    goodwill graham_numbers gross_margin gross_margin_percent gross_profit gross_profit_estimate
    gross_profit_margin gross_profit_qoq_growth gross_profit_yoy_growth income_from_cont_ops interst_cover
    invent_turnover issuance_of_stock_net long_term_debt long_term_debt_to_assets long_term_debt_to_equity
    ncavps_ratio neg_capital_expenditures neg_research_and_dev neg_total_cash_dividends_paid net_debt
    net_debt_to_ebitda net_income net_income_bef_disc_oper net_income_bef_disc_oper_margin net_income_estimate
    net_income_per_employee net_income_qoq_growth net_income_yoy_growth net_margin net_revenue
    net_revenue_after_provision non_gaap_price_to_earnings_per_share_forecast_next number_of_employees
    number_of_shareholders oper_income oper_income_margin oper_income_per_employee operating_cash_flow_per_share
    operating_margin piotroski_f_score pre_tax_margin price_book price_cash_flow price_earnings
    price_earnings_forward price_earnings_growth price_free_cash_flow price_revenue price_sales
    price_to_cash_f_operating_activities price_to_working_capital quick_ratio rates rates_earnings
    rates_earnings_next receivables_turnover research_and_dev research_and_dev_estimate
    research_and_dev_per_employee research_and_dev_ratio return_of_invested_capital_percent return_on_assets
    return_on_capital_employed return_on_common_equity return_on_equity return_on_equity_adjust_to_book
    return_on_invested_capital return_on_tang_assets return_on_tang_equity return_on_total_capital revenue
    revenue_estimate revenue_forecast revenue_forecast_next revenue_per_employee revenue_per_share
    revenue_surprise revenue_surprise_percent revenues sell_gen_admin_exp_other sell_gen_admin_exp_other_ratio
    sell_gen_admin_exp_total_estimate share_buyback_ratio short_term_debt shrhldrs_equity
    shrhldrs_equity_to_total_assets sloan_ratio sustainable_growth_rate tobin_q_ratio total_assets
    total_assets_estimate total_assets_per_employee total_assets_qoq_growth total_assets_to_equity
    total_assets_yoy_growth total_cash_dividends_paid total_current_assets total_current_liabilities total_debt
    total_debt_estimate total_debt_per_employee total_debt_per_share total_debt_qoq_growth total_debt_to_capital
    total_debt_to_ebitda total_debt_yoy_growth total_equity total_liabilities total_revenue
    total_revenue_5y_growth total_revenue_qoq_growth total_revenue_yoy_growth total_shares_outstanding
    working_capital working_capital_per_share zmijewski_score capex cash_flow_per_share diluted_net_income
    """
)
"""Names that end with a period."""
_PERIODS: Final = ("_fy_h", "_fq_h", "_fh_h", "_ttm_h", "_fy", "_fq", "_fh", "_ttm", "_ntm", "_current")


def is_field(name: str) -> bool:
    """Whether there is a column of that name; ``.tr`` at its end asks for a translation."""
    name = name.removesuffix(".tr")
    if name in _PLAIN or name in _ELSEWHERE or name in _ASKED:
        return True
    return any(name.endswith(period) and name.removesuffix(period) in _STATEMENTS for period in _PERIODS)


def is_framed(name: str) -> bool:
    """Whether a column of that name, though not technical, may have an interval."""
    return name in _FRAMED
