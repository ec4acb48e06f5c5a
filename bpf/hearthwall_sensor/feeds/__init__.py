"""Lists of known-bad addresses and domains: fetched, read, cleaned, merged and put in force."""
