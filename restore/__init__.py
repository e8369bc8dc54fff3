"""What a restore is: request, plan, progress, certificate, errors. Pure: no network, no Temporal."""
