# Architecture

For whoever reads or changes the code. Every path and every test named here exists (`tests/docs` holds this page to that); the
words are those of the [glossary](docs/glossary.md); why things are as they are is in [`docs/decisions`](docs/decisions).

## Bird's-eye

```
 app/SDK ─HTTP→ events ─job→ customers                       whom we know, and where we can reach them
 marketer ─────→ audiences ─→ campaigns ─job→ deliveries ─HTTP/2→ FCM
                                                └─→ reports ←─ events (received, opened)
```

Folders are the stations that the data passes, in order. A station imports only stations upstream of it; downstream is reached
by a row or a job, never by an import. `clarion serve` runs all of it in one process; `clarion run ROLE…` runs a part of it
beside others, on the same database and broker.

**Kinds of file, told apart by name.** A *noun* (`device.py`, 
`delivery.py`) is values and rules: no I/O, no clock, no
randomness. An *agent* (`collector.py`, 
`sender.py`) is a loop that does I/O and decides nothing; its `step()` does one batch,
its `run()` repeats it. `store.py`, 
`…_store.py` and `query.py` are SQL.

**Two seams.** `broker.py` with its adapters in `brokers/`, and `deliveries/provider.py` with `providers/`. The database is not
hidden behind repositories: one set of SQLAlchemy Core statements, and `storage/dialect.py` for what SQLite and PostgreSQL truly
say differently.

## The stations

All in `src/clarion/`, in the order of the data. A station that outgrew a dozen files has rooms. The first line of each file
says what it is.

**`sources/`** holds the apps that send events: their write keys and identity secrets (`key_store.py`), who may send with one, from
which pages and how fast (`authenticator.py`, which asks the database through `key_loader.py`, many keys in one statement;
`rate_limit.py`), and how people rotate keys.
| station | 
nouns | 
agents | 
SQL |
|---|---|---|---|
| `accounts/`: who works with Clarion, what they may do, and what they did | 
`actor.py` who acts: permissions, scopes, roles · 
`audit.py` an entry of the audit log · 
`api_key.py` · 
`workspace.py` | 
`command.py` how every change by a face is written · 
`authenticator.py` whose key it is | 
`audit_store.py` · 
`api_key_store.py` · 
`workspace_store.py` |
| `events/`: a call from an app becomes a durable event | 
`body.py` bytes → JSON · 
`call.py` a call → its events, by write key · 
`registering.py` whether one that asks for a registration can have it · 
`check.py` whether one can be taken · 
`message.py` one event, R0 · 
`refusal.py` why one was not taken · 
`turned_away.py` calls of which nothing was · 
`activity.py` what became of each · 
`inbox.py` a job's payload · 
`record.py` 
`record_customer.py` 
`record_device.py` 
`record_line.py` 
`record_cell.py` 
`record_file.py` 
`record_text.py` a line of an imported file · 
`source.py` 
`admission.py` 
`limit.py` an app and what it may · 
`signature.py` 
`proof.py` who may speak for a person · 
`secrecy.py` where a secret stands · 
`installation.py` of which device an event speaks · 
`strangers.py` addresses that can not be FCM's · 
`reserved.py` 
`action.py` 
`ids.py` 
`moment.py` 
`nesting.py` 
`text.py` 
`answer.py` 
`preference.py` | 
`collector.py` · 
`publisher.py` makes calls durable together · 
`headroom.py` whether there is room · 
`doorkeeper.py` who may send · 
`key_reader.py` what keys open · 
`door_log.py` who was turned away · 
`importer.py` · 
`feed.py` what a source sends, live · 
(`rotation.py`: how people change keys) | 
`store.py` · 
`source_store.py` · 
`key_store.py` · 
`action_store.py` · 
`activity_store.py` · 
`feed_store.py` · 
`ownership_store.py` · 
`erasure_store.py` |
| `customers/`: whom we know, and where we can reach them | 
`identity.py` who somebody is · 
`claim.py` 
`timeline.py` whose a key was, R3–R12 · 
`sighting.py` what one event says of ids · 
`batch.py` what a batch changes · 
`announcement.py` what an event says of its device · 
`device.py` 
`standing.py` 
`registration.py` R6–R8 · 
`chronicle.py` history · 
`facts.py` what SDKs tell of it · 
`profile.py` R10 · 
`wrong_clock.py` in what order it learns from a wrong clock · 
`kept.py` a customer as identity keeps it · 
`explanation.py` 
`holding.py` why and when a device was whose · 
`freshness.py` · 
`disclosure.py` what is shown, without secrets · 
`forecast.py` what will become of an imported registration · 
`suppression.py` 
`person.py` who is left alone, or forgotten · 
`tally.py` what a source is counted by · 
`warning.py` 
`advice.py` what it is told, and the cure · 
`source_report.py` | 
`ingestor.py` (`ingestion.py`: its one transaction, 
`recording.py`: its end) · 
`merger.py` merges by hand · 
`sweeper.py` | 
`store.py` · 
`search_store.py` · 
`suppression_store.py` · 
`person_store.py` · 
`erasure_store.py` · 
`unfinished_store.py` · 
`merge_store.py` · 
`identity_store.py` · 
`registration_store.py` · 
`device_store.py` · 
`freshness_store.py` · 
`explanation_store.py` · 
`disclosure_store.py` · 
`export_store.py` |
| `audiences/`: whom a campaign is for | 
`rule.py` | 
| `query.py` the same rule in SQL |
| `campaigns/`: what to say, and when | 
`campaign.py` its states · 
`content.py` 
`live_activity.py` 
`template.py` 
`variables.py` 
`draft.py` what it says · 
`template.py` rendered for one customer, by `liquid.py` (`filters.py` 
`printing.py` 
`dates.py`; `cost.py` what it takes) · 
`schedule.py` | 
`scheduler.py` · 
`preview.py` what it would do | 
`store.py` · 
`erasure_store.py` |
| `deliveries/`: one push to one device, until settled | 
`provider.py` the contract · 
`delivery.py` states, retries · 
`books.py` one chunk's account · 
`pacing.py` how fast · 
`breaker.py` when removals are in doubt · 
`belief.py` when an answer speaks of the whole app · 
`limits.py` platforms that are slowed alone · 
`spread.py` over a window | 
`planner.py` · 
`sender.py` (`settlement.py`: its two transactions; `courier.py`: keeps the pace; `notices.py`: tells the operator; `overdue.py`: publishes again) · 
(`steering.py`: the steps people take) | 
`store.py` · 
`chunk_store.py` · 
`app_store.py` · 
`erasure_store.py` · 
`pace_store.py` · 
`quarantine_store.py` |
| `reports/`: what became of it | 
| `attributor.py` · 
`regulator.py` suppresses · 
`eraser.py` erases, slice by slice (`expurgation.py`: a job put aside) · 
`dossier.py` a zip of what is known | 
`funnel.py` · 
`waiting.py` why a campaign waits · 
`timeline.py` a customer's life |

Around them:

**`ingest_log/`** keeps what came in and what became of it, for people who look for their events: outcomes with codes, counters,
calls that were rejected whole (`rejected_calls.py`), and the live tail (`tail.py`).

**`events/`** makes a call from an app a durable event. `events/calls/` reads one HTTP call: bytes to JSON, JSON to events, and
whether each can be accepted. `events/messages/` reads one event: its ids (R0), its times, its installation, where a secret stands.
`collector.py` checks and answers, 
`publisher.py` commits many calls together, 
`backpressure.py` says when there is no room,
`identity_verification.py` who may speak for a person, 
`envelope.py` is what the ingestor is handed.

**`customers/`** knows whom we know and where they can be reached; `ingestor.py` drives it, and `ingestion.py` is its one transaction.
`customers/identity/` decides who is who: `claim.py` and `timeline.py` whose a key was (R3–R12), 
`batch.py` what a batch changes,
`merger.py` merges by hand, 
`person.py` every id of one person. `customers/profile/` is what we know: `traits.py` (R10), 
`customer.py`,
`wrong_clock.py`, and what may be shown of it (`redaction.py`). `customers/devices/` is where they can be reached: `device.py`,
`liveness.py` (R6, R8), 
`device_plan.py`, 
`facts.py`, 
`history.py`, 
`token_age.py` and the `sweeper.py`. The suppression list stands
beside them. What a source is told, with the cure: `diagnostics.py`, 
`warnings.py`, 
`ingest_counters.py`, 
`source_report.py`.

**`audiences/`** says whom a campaign is for: `rule.py`, and the same rule in SQL, 
`query.py`.

**`campaigns/`** says what to say, and when: `campaign.py` its states, 
`draft.py` as people write it, 
`scheduler.py` launches it,
`preview.py` tells what it would do. `campaigns/content/` checks and renders: `spec.py`, 
`template.py`, and Liquid, which can not run
away (`liquid.py`, 
`cost.py`, 
`filters.py`, 
`dates.py`, 
`printing.py`).

**`deliveries/`** is one push to one device, until settled: `delivery.py` states and retries, 
`provider.py` the contract with whoever
sends, 
`planner.py` a launch to deliveries page by page, 
`chunk_store.py` the fence, 
`steering.py` the steps people take.
`deliveries/sending/` sends one chunk: `sender.py`, 
`paced_sender.py`, 
`chunk_result.py` its account, 
`settlement.py` its two
transactions, 
`belief.py` when an answer speaks of the whole app. `deliveries/apps/` is what all senders of a provider app share: its
sealed key, 
`pacing.py` how fast, 
`breaker.py` when removals are in doubt, 
`platform_limits.py`.

**`reports/`** is what became of it: `funnel.py`, 
`timeline.py` a customer's life, 
`waiting.py` why a campaign waits, and the
`attributor.py`, which enters receipts and opens.

**`importing/`** reads customers, devices and events from files, whoever wrote them (`row_reader.py`, 
`cell.py`, 
`row.py`), hands them to
the collector (`importer.py`), and writes the same files (`export_store.py`).

**`privacy/`** is what a person may ask of us (`requests.py`): to be suppressed, erased (`eraser.py`, slice by slice;
`dead_letter_scrub.py` jobs put aside), or given their data (`data_export.py`).

**`providers/`** carry a push to a device. `providers/fcm/`: `message.py` a push as JSON, 
`response.py` and `error_text.py` an answer as an
outcome, 
`credentials.py` and `auth.py` keys and access tokens, 
`client.py`; `providers/fcm/http/` is libcurl and HTTP/2.

Around them: `app.py` is the composition root, the only module that knows every concrete class · 
`config.py` the environment as one
frozen `Settings`, every fault told at once · 
`broker.py` the contract of jobs, 
`brokers/` its adapters (`database.py` a table,
`jetstream.py` NATS) · 
`web/` one ASGI app: `web/sdk/` the collector's routes and `web/intilery/` the modelled product's server API,
plain ASGI, 
`web/api/` the management API, Litestar and msgspec · 
`cli/` the command; `cli/demo/` plays the main job and checks its
books · 
`simulator/` a wire-faithful FCM, for development, demo and tests, which knows nothing of the rest · 
`storage/` the database:
`storage/schema/` every table, 
`database.py` transactions, 
`outage.py` what it can not do now, with the cure, 
`bulk.py` many rows at
once, | 
| |
|---|---|
| `cli/` | 
the command; `cli/demo/` plays the main job and checks its books |
| `app.py` | 
the composition root: the only module that knows every concrete class |
| `config.py` | 
the environment → one frozen `Settings`; tells every fault at once |
| `web/` | 
`server.py` one ASGI app · 
`collect/` the collector's routes, plain ASGI: events, settings, pixels, the snippet's library · 
`track/` the modelled product's server API · 
`api/` the management API, Litestar and msgspec; `/` says where all is |
| `brokers/` | 
`database.py` jobs in a table (the default) · 
`jetstream.py` over `link.py` and `address.py` |
| `fcm/` | 
`message.py` a push → JSON · 
`live_activity.py` one as JSON · 
`fields.py` what of it a campaign may set · 
`response.py` an answer → an outcome · 
`wording.py` what its sentences mean · 
`retry_after.py` · 
`credentials.py` · 
`other_files.py` what is taken for a key · 
`trouble.py` what is told of FCM's trouble · 
`oauth.py` · 
`transport.py` libcurl, HTTP/2 · 
`window.py` how many in the air · 
`client.py` |
| `simulator/` | 
a wire-faithful FCM, for development, demo and tests; knows nothing of the rest. `catalogue` names every answer, 
`registrations` and `topics` hold who lives and follows, 
`control` takes orders, 
`limits` and `sizes` refuse what FCM refuses, 
`gate` leads Google's SDKs to `http2`, which refuses streams |
| `storage/` | 
`schema.py` every table · 
`database.py` transactions · 
`sqlite.py` and `sqlite_file.py`, its file looked at from outside · 
`postgres.py` and `postgres_address.py`, what a URL says · 
`outage.py` what is 'not now', with the cure · 
`bulk.py` many rows at once · 
`dialect.py` · 
`vault.py` secrets at rest, 
`storage/migrations/` · 
`clock.py` time, ids and chance · 
`telemetry.py` logs and metrics · 
`watchdog.py` the end of a
process that hangs · 
`text.py` text of others, fit for a database, a terminal and a log.
`reseal.py` another secret · 
`migrate.py` and `migrations/` |
| `broker.py` 
`clock.py` 
`telemetry.py` 
`watchdog.py` 
`text.py` 
`faults.py` | 
the contract of jobs; time, ids and chance; logs and metrics; the end of a process that hangs; text of others, fit for a terminal; expected failures as values |

## The data's way

| | 
takes | 
writes, in one transaction | 
hands on |
|---|---|---|---|
| collector | 
an HTTP call | 
nothing but the job (aside, now and then: which keys were used, which calls turned away) | 
job `events`, durable before the answer |
| ingestor | 
jobs `events`, up to 16 at once | 
`events`, 
`identifiers`, 
`claims`, 
`customers`, 
`devices`, 
`tokens`, 
`device_history`; last, for each source, 
`refusals`, 
`repeats`, 
`source_counts` | 
|
| scheduler | 
the clock | 
`campaigns` scheduled → launching, 
`launches` | 
job `launch` |
| planner | 
job `launch` | 
a page of 2,000 devices: `deliveries`, 
`chunks`, the launch's cursor | 
a job `chunk` for each |
| sender | 
job `chunk` | 
claim: `chunks`; settle: `deliveries`, 
`chunks`, removed `devices`, a paused Firebase app, the finished launch and campaign | 
job `chunk` for what is tried again |
| attributor | 
`events` that are receipts | 
`deliveries.received_at`, 
`opened_at` | 
|
| sweeper | 
the clock | 
stale `devices`; old `refusals`, 
`repeats`, 
`source_counts` | 
|

A job is a nudge and a payload; it may be lost (but for `events`), doubled or late. What must happen once is decided by a row: a
messageId by its unique key, a launch by its campaign's state, a page by the launch's cursor, a delivery by (launch, device), a
chunk by its attempt.

## The promises

What they mean for users, with their limits: [guarantees](docs/concepts/guarantees.md).

| # | 
promise | 
held by |
|---|---|---|
| 1 | 
**A 200 from the collector is durable**; a repeated messageId changes nothing | 
`tests/flow/test_durability.py::test_whatever_was_answered_is_there_after_kill_9`, 
`tests/flow/test_durability.py::test_an_answer_waits_for_the_commit`, 
`tests/flow/test_collecting.py::test_a_repeated_message_id_changes_nothing_after_a_restart` |
| 2 | 
**Identity converges** in any order, however often; two identified customers are never merged | 
`tests/unit/test_identity.py::test_every_order_and_doubling_ends_in_the_state_the_rules_say`, 
`tests/unit/test_identity.py::test_any_history_converges_in_any_order_and_grouping`, 
`tests/unit/test_order.py::test_any_cutting_delay_and_skew_ends_as_one_immediate_batch`, 
`tests/contract/test_ingestion.py::test_sampled_orders_of_the_scenarios_end_alike`, 
`tests/contract/test_ingestion.py::test_any_history_ends_in_the_state_the_pure_core_says`; the same with merges made and undone by hand: `tests/contract/test_merging.py::test_any_order_of_events_and_merges_ends_alike` |
| 3 | 
**One device, one customer**; every move is history; no push to a device that has moved; where userIds are signed, a public key moves none | 
`tests/flow/test_signed_identity.py::test_a_public_key_neither_takes_over_nor_silences_nor_renames`, 
`tests/contract/test_ingestion.py::test_a_device_tells_every_owner_and_token_and_what_caused_them`, 
`tests/flow/test_sending.py::test_a_push_is_never_sent_to_a_device_that_has_moved` |
| 4 | 
**Registrations die for the right reason only**, and only if the token is still the same; a wave is not believed; 60 days without refresh | 
`tests/fault/test_any_answer.py::test_whatever_is_answered_the_right_ones_stay_and_nobody_gets_it_twice`, 
`tests/unit/test_fcm_response.py::test_a_registration_ends_for_the_right_reason_only`, 
`tests/flow/test_sending.py::test_only_the_dead_registration_is_removed_and_registering_revives_it`, 
`tests/flow/test_sending.py::test_a_token_refreshed_in_between_survives_the_old_ones_death`, 
`tests/unit/test_breaker.py::test_one_in_twenty_uninstalled_is_never_a_wave`, 
`tests/flow/test_removals_in_doubt.py::test_a_key_of_another_project_stops_before_it_burns_the_base`, 
`tests/flow/test_sending_by_fid.py::test_a_fid_that_is_only_read_loses_no_push_and_ends_no_device`, 
`tests/unit/test_reachability.py::test_any_story_of_phones_ends_with_the_reachable_ones_reached_once`, 
`tests/flow/test_sweeping.py::test_a_registration_lives_for_exactly_60_days`, 
`tests/flow/test_freshness.py::test_a_preview_tells_what_the_next_sweep_removes_and_removes_nothing` |
| 5 | 
**Nothing planned is lost, nothing is sent twice knowingly**; what may have been is counted and carries its tag | 
`tests/fault/test_stop.py::test_a_stop_in_the_middle_of_a_campaign_repeats_nothing`, 
`tests/fault/test_crash_everywhere.py::test_a_process_may_die_anywhere`, 
`tests/fault/test_crash_everywhere.py::test_the_database_may_be_lost_anywhere_for_a_while`, 
`tests/fault/test_crash_everywhere.py::test_the_broker_may_be_lost_anywhere_for_a_while`, 
`tests/fault/test_kill.py::test_a_campaign_survives_kill_9`, 
`tests/fault/test_any_sequence.py::test_whatever_happens_every_delivery_is_settled_once`, 
`tests/flow/test_many_processes.py::test_processes_that_share_only_servers_do_the_main_job_and_survive_a_kill`, 
`tests/flow/test_sending.py::test_a_sender_believed_dead_changes_nothing_any_more`, 
`tests/contract/test_transport.py::test_a_request_whose_connection_dies_is_not_sent_again`, 
`tests/contract/test_endings.py::test_what_may_have_been_read_is_lost_and_not_sent_again` |
| 6 | 
**The account balances at every instant** | 
`tests/fault/test_crash_everywhere.py::test_a_process_may_die_anywhere` looks after every step; `tests/flow/test_sending.py::test_each_outcome_has_its_place_in_the_account`, 
`tests/flow/test_demo.py::test_the_demo_balances_and_ends` |
| 7 | 
**FCM's rules are kept**; one answer's fault stops no app: Retry-After in both forms, backoff with jitter, at least 10 s, 4 KB checked before; one pace for each project over all senders, ramp-up | 
`tests/unit/test_pacing.py::test_the_quota_is_used_and_nothing_is_refused`, 
`tests/unit/test_pacing.py::test_a_large_launch_is_ramped_up_over_a_minute`, 
`tests/flow/test_sending_in_pace.py::test_two_senders_share_what_a_project_may_send`, 
`tests/contract/test_transport.py::test_retry_after_is_read_in_both_forms`, 
`tests/flow/test_doubted_answers.py::test_strays_among_accepted_pushes_pause_nothing_and_expire`, 
`tests/flow/test_doubted_answers.py::test_a_paused_app_is_tried_again_by_itself_and_says_so`, 
`tests/unit/test_delivery.py::test_no_try_comes_sooner_than_ten_seconds_after_another`, 
`tests/unit/test_delivery.py::test_what_the_provider_asks_for_is_kept_where_it_is_longer`, 
`tests/contract/test_provider.py::test_what_our_check_lets_pass_fcm_does_not_find_too_big` |
| 8 | 
**Bad input gets a clear error and loses nothing** | 
`tests/flow/test_collecting.py::test_a_bad_event_is_refused_with_a_recorded_reason_and_the_rest_is_kept`, 
`tests/flow/test_any_request.py::test_no_request_is_answered_5xx_or_hangs`, 
`tests/flow/test_any_connection.py::test_nothing_that_comes_over_a_connection_harms_anybody`, 
`tests/flow/test_any_bytes.py::test_whatever_is_taken_can_be_taken_in`, 
`tests/flow/test_api_errors.py::test_every_code_has_a_meaning_and_a_cure` |
| 9 | 
**No token, key or secret in a log or an error**; Firebase keys are encrypted at rest | 
`tests/contract/test_database.py::test_a_logged_failure_shows_neither_values_nor_local_variables`, 
`tests/unit/test_disclosure.py::test_a_token_is_shown_as_its_fingerprint`, 
`tests/flow/test_secrets_shown.py::test_own_words_come_back_untouched_and_no_token_is_shown`, 
`tests/unit/test_vault.py::test_what_is_sealed_does_not_show_it`, 
`tests/flow/test_api.py::test_histories_tell_moves_and_tokens_only_as_fingerprints` |
| 10 | 
**An erased person is gone** from every table, job and log, and stays gone; the books still balance; nobody else loses anything | 
`tests/flow/test_erasure.py::test_nothing_is_left_of_an_erased_person`, 
`tests/flow/test_erasure.py::test_nobody_else_loses_anything`, 
`tests/flow/test_erasing_bit_by_bit.py::test_an_erasure_that_is_cut_off_anywhere_is_finished`, 
`tests/flow/test_erasing_what_waits.py::test_what_waits_at_an_erasure_is_dropped_and_nothing_of_it_is_put_aside`, 
`tests/contract/test_broker.py::test_what_was_rejected_can_be_rewritten` |

## Floors and invariants

Each imports only to its right; import-linter checks it (`make floors`, contracts in `pyproject.toml`):

    cli → app → config → web → privacy → importing → (brokers | 
providers | 
simulator) → reports → deliveries → campaigns
    → audiences → customers → events → ingest_log → sources → storage → (broker | 
clock | 
telemetry | 
watchdog) → text
    cli → app → config → web → (brokers | 
fcm | 
simulator) → reports → deliveries → campaigns → audiences → customers → events → accounts → storage → (broker | 
clock | 
telemetry | 
watchdog) → printable → faults

- Nouns do no I/O and read neither clock nor chance (also import-linter). `providers/fcm/` sees of ours only the provider contract, clock
  and telemetry.
- A table is written only through its station's stores. Ack follows commit. A settled delivery never changes its state.
- Nothing but `app.py` (and tests) constructs adapters. Settings are read once. No station knows which broker or database it
  runs on.
- The collector never reads a profile. FCM's words do not leave `providers/fcm/`.
- No module over 400 lines, no function over 70 (`tests/docs/test_shape.py`); 100 columns.

## The hard ideas, and where they live

- **Identity as a function of a set** (`customers/identity/timeline.py`). Claims accumulate; a timeline follows from all claims of one
  key; a late claim only moves intervals, and the events of those intervals are filed anew. A key's stored claims are read only
  when a new claim does not fit its timeline (`customers/identity/batch.py`). [Identity](docs/concepts/identity.md) tells the rules.
- **The chunk's fence** (`deliveries/chunk_store.py`). A claim bumps the chunk's `attempt`; whatever a sender writes it writes
  in one transaction that first checks that the attempt is still its own. So a sender believed dead changes nothing, on any
  broker. [The life of a delivery](docs/concepts/delivery-lifecycle.md).
- **Group commit** (`events/publisher.py`, 
`brokers/database.py`). While one commit is under way, calls that arrive wait
  together and become the next one: alone a call waits for nothing, under load a commit carries hundreds.
- **Reading FCM** (`providers/fcm/response.py`). A bad token and a bad payload share status and code; the details tell them apart. One
  pure function, with a golden answer for each row of the matrix in `tests/golden/fcm`.
- **Nothing behind our back** (`providers/fcm/http/transport.py`). libcurl repeats a request whose connection died; it may begin each only once,
  so that it asks. `tests/contract/test_endings.py` tries every ending of a connection.

## Cross-cutting

- **Time.** Only `clock.py` says what time it is (demo and simulator have their own); waits within a process count `monotonic`.
  Instants are aware and in UTC; an event's shown time is corrected by how wrong its sender's clock is, and what one
  installation did keeps the order of its own clock (`events/messages/timestamps.py`).
  Everything with a clock takes one by constructor, so tests stand in a minute or a month.
- **Ids.** Fresh ones are UUIDv7, from the clock. What must be the same row when repeated has a derived id: a customer
  (workspace and user id, or key and interval), a device, a delivery, a launch.
- **Commands.** What a face changes is a command of the station that owns the rows: `@command(verb, needs=permission)`
  (`accounts/command.py`) checks the actor's permission, opens one transaction that is run again where it loses to another, writes one
  audit entry with the change, and publishes jobs after the commit (`tests/contract/test_commands.py`).
- **Errors.** Expected failures are values (`Rejected` of a command, 
`Refusal`, 
`CallFault`, 
`Refused`, 
`Outcome`). Exceptions are for bugs, and for what
  is away: `StorageUnavailable`, 
`BrokerUnavailable`, 
`VaultLocked`. On the wire they are `{"success": false, "code",
  "message"}`: [codes](docs/reference/errors.md).
- **Logs and metrics.** structlog to standard error, one event a line; `telemetry.py` masks what is named like a secret, as a
  net below the rule that none is logged.
- **Secrets.** Firebase keys are sealed in `storage/vault.py`; API keys are kept as SHA-256; a token is shown as the first 12
  digits of its SHA-256. Values with a token in them hide it from `repr`.
- **Limits** are named constants beside the code that obeys them; an agent's are its options class.

## Tests

| folder | 
holds |
|---|---|
| `tests/unit` | 
the nouns: tables and Hypothesis, no I/O |
| `tests/contract` | 
every adapter through one suite: SQLite and PostgreSQL, both brokers, simulator and golden answers, migrations equal the schema |
| `tests/flow` | 
the service as it is used, over HTTP and the command line |
| `tests/fault` | 
a crash, a lost database, a lost broker, at every point of a campaign's way |
| `tests/clients` | 
real third-party clients: SDKs in Python, for Node.js and for browsers (in Chromium) against a running collector, Google's against the simulator |
| `tests/docs` | 
these pages: generated references are current, commands run, links and names lead somewhere |
| `tests/fakes` | 
the tests' own servers (PostgreSQL, NATS, HTTP/2), clock, scenarios |

Speed is measured, not asserted: `make bench` ([`bench/`](bench)).

## Not built yet

A console and its templates; a builder for audiences; recurring campaigns; retention; OpenTelemetry.
