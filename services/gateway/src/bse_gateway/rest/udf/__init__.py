"""`/udf/*`: a TradingView datafeed (Universal Data Feed), for charts that speak it."""
