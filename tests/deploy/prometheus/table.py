"""For every alert: what it is tried on. The trials of each kind are made in `cases`, those of one alert in `own`."""

from __future__ import annotations

from .cases import DAY, Compared, Count, State, Trial, series
from .own import (
    ROUTE,
    absent,
    bounced,
    budget,
    exchangers_down,
    failures,
    junked,
    old,
    placement_worse,
    queue_growing,
    resolver,
    route_down,
    stalled,
    stamps,
    unattended,
    vantages,
)

TABLE: dict[str, State | Count | Compared | list[Trial]] = {
    # The observer.
    "SmtpProbeAbsent": absent(),
    "SmtpProbeStalled": stalled(),
    "SmtpProbeUnobserved": failures("unobserved_total", "mailbox_unwatched", 3, hold=5),
    "SmtpProbeMailboxDown": State(series("mailbox_up", mailbox="m"), "0", "1", hold=10),
    "SmtpProbeCredentialFailing": Count(
        series("credential_refreshes_total", credential="c", result="invalid_grant"), 3, 30
    ),
    "SmtpProbeCredentialExpired": State(
        series("credential_expiry_timestamp_seconds", credential="c"), "60", "1e9", near="10000", hold=2
    ),
    "SmtpProbeReloadFailed": State(series("config_last_reload_successful"), "0", "1", hold=10),
    "SmtpProbeJournalFailing": State(series("journal_up"), "0", "1", hold=5),
    "SmtpProbeBrokenFromHere": vantages(everywhere=False),
    "SmtpProbeBrokenEverywhere": vantages(everywhere=True),
    "SmtpProbeEngineDown": State(series("engine_up"), "0", "1", hold=2),
    "SmtpProbeEngineBehind": State(series("engine_events_behind"), "5000", "0", near="1000", hold=10),
    "SmtpProbeEngineUnattended": unattended(),
    "SmtpProbeEngineUnchecked": State(series("engine_checked"), "0", "1", hold=10),
    "SmtpProbeEngineTakeovers": Count(series("engine_takeovers_total"), 5, 30),
    "SmtpProbeClockStepped": State(series("clock_step_seconds"), "-3600", "0", near="0.9", hold=5),
    "SmtpProbeSchedulerLagging": State(series("scheduler_lag_seconds"), "9", "0", near="5", hold=10),
    "SmtpProbeInternalErrors": Count(series("internal_errors_total"), 1, 60),
    "SmtpProbeResolverFailing": resolver(),
    "SmtpProbeCheckUnobserved": State(
        series("check_up", domain="example.org", check="mx"), "0", "1", hold=120
    ),
    "SmtpProbeQueueUnread": State(series("queue_up", queue="out"), "0", "1", hold=15),
    "SmtpProbeWatchdog": [Trial("fires", {}, 5, fires=True)],
    # Objectives.
    "SmtpProbeErrorBudgetBurnFast": budget(1, 0.1, 120, 15, 60),
    "SmtpProbeErrorBudgetBurn": budget(0.5, 0.05, 120, 24, 360, step=5),
    "SmtpProbeErrorBudgetBurnSlow": budget(0.05, 0.009, 120, 480, 3 * DAY, step=5),
    # Symptoms.
    "SmtpProbeRouteDown": route_down(),
    "SmtpProbeSubmissionFailing": failures("probe_failures_total", "refused", 3, hold=5),
    "SmtpProbeMailOverdue": failures("probe_failures_total", "overdue", 2, hold=1),
    "SmtpProbeMailLost": Count(series("outcomes_total", **ROUTE, outcome="lost"), 2, DAY, step=5),
    "SmtpProbeMailBounced": bounced(),
    "SmtpProbeMailJunked": junked(),
    "SmtpProbePlacementWorse": placement_worse(),
    "SmtpProbeDuplicates": Count(series("duplicate_messages_total", **ROUTE), 2, 60),
    "SmtpProbeMailCorrupted": Count(series("corrupted_messages_total"), 2, 360),
    "SmtpProbeForgedMessages": Count(series("forged_messages_total"), 24, 60, near=18),
    "SmtpProbePathChanged": Count(series("path_changes_total", **ROUTE), 1, 60),
    "SmtpProbePlaintextHop": State(
        series("hop_tls", by="mx.example.org", leg="transport"), "0", "1", hold=15
    ),
    # Latency.
    "SmtpProbeDeliverySlow": Compared(gauge=series("last_delivery_duration_seconds", **ROUTE)),
    "SmtpProbeLegSlow": Compared(
        gauge=series("leg_duration_seconds", **ROUTE, leg="inbound"), has_weeks=False
    ),
    "SmtpProbeHopSlow": Compared(histogram=series("hop_duration_seconds", by="mx.example.org")),
    "SmtpProbeSubmissionPhaseSlow": Compared(
        histogram=series("submission_phase_duration_seconds", sender="s", phase="accept"),
        usual=0.2,
        slow=2.0,
        slightly=0.3,
        needs=(2, 0.25),
        has_weeks=False,
    ),
    # Causes.
    "SmtpProbeFindingError": State(
        series("finding", domain="example.org", check="spf_missing", severity="error"), "1", "0", hold=15
    ),
    "SmtpProbeMessageFindingError": State(
        series("finding", **ROUTE, check="dmarc_fails", severity="error"), "1", "0", hold=30
    ),
    "SmtpProbeAuthenticationFailing": State(
        series("verdict", **ROUTE, method="dmarc", source="own", result="fail"), "1", "0", hold=30
    ),
    "SmtpProbeCertificateExpiring": stamps(
        "tls_certificate_not_after_timestamp_seconds", 22, 20, 60, 60, endpoint="mx.example.org:25"
    ),
    "SmtpProbeCertificateExpired": stamps(
        "exchanger_certificate_not_after_timestamp_seconds",
        3,
        1,
        60,
        15,
        domain="example.org",
        host="mx",
        address="192.0.2.1",
    ),
    "SmtpProbePolicyExpiring": stamps(
        "mta_sts_policy_expiry_timestamp_seconds", 3, 1, 7, 60, domain="example.org"
    ),
    "SmtpProbeBlockListed": State(
        series("dnsbl_listed", domain="example.org", zone="dnsbl.example"), "1", "0", hold=30
    ),
    "SmtpProbeExchangerDown": State(
        series("exchanger_up", domain="example.org", host="mx", address="192.0.2.1"), "0", "1", hold=15
    ),
    "SmtpProbeExchangersDown": exchangers_down(),
    "SmtpProbeSpfLookupsNearlySpent": State(
        series("spf_lookups_left", domain="example.org"), "1", "6", near="2", hold=60
    ),
    "SmtpProbeRecordsChanged": Count(
        series("dns_record_changes_total", domain="example.org", record="mx"), 1, 60
    ),
    "SmtpProbeQueueGrowing": queue_growing(),
    "SmtpProbeQueueOld": old(
        "queue_oldest_message_timestamp_seconds", 6 * 3600, 30, queue="out", state="deferred"
    ),
    "SmtpProbeQueueStuck": old(
        "queue_oldest_message_timestamp_seconds", 1800, 15, queue="out", state="active"
    ),
    "SmtpProbeRetryScheduleBad": State(
        series("queue_finding", queue="out", check="retry_too_soon", severity="warning"), "1", "0", hold=60
    ),
    "SmtpProbeDrillFailed": State(series("drill_healthy", drill="d"), "0", "1", hold=5),
    "SmtpProbeDrillUnobserved": [
        *Count(series("drill_runs_total", drill="d", result="unobserved"), 2, DAY, hold=5, step=5).trials(),
        Trial(
            "one run in between came to a result",
            {
                series("drill_runs_total", drill="d", result="unobserved"): "0x60 1x60 2x300",
                series("drill_runs_total", drill="d", result="healthy"): "0x90 1x400",
            },
            200,
            fires=False,
        ),
    ],
    "SmtpProbeDrillAccepted": State(
        series("drill_finding", drill="refusals", check="drill_relay_accepted", severity="critical"),
        "1",
        "0",
        hold=1,
    ),
}
