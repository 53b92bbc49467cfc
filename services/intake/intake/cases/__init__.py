"""Cases: one request of one customer on its way round the closed loop."""
