"""What the API says about itself: an OpenAPI 3.1 document made from the contracts, and pages to read it offline."""
