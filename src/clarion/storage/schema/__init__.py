"""Every table, a page a station. A table is written only through its station's `store.py`.

Times are instants in UTC (microseconds in SQLite, timestamptz in PostgreSQL); ids are UUIDs. Rows
that identity decides have derived ids (`customers/identity/identifier.py`), so that the same set of
events gives the same rows whatever the order it arrived in.
"""

from clarion.storage.schema.accounts import api_keys as api_keys
from clarion.storage.schema.accounts import audit as audit
from clarion.storage.schema.accounts import invitations as invitations
from clarion.storage.schema.accounts import memberships as memberships
from clarion.storage.schema.accounts import password_resets as password_resets
from clarion.storage.schema.accounts import people as people
from clarion.storage.schema.accounts import sessions as sessions
from clarion.storage.schema.accounts import sign_in_tries as sign_in_tries
from clarion.storage.schema.accounts import workspaces as workspaces
from clarion.storage.schema.audiences import audience_members as audience_members
from clarion.storage.schema.audiences import audiences as audiences
from clarion.storage.schema.campaigns import campaign_approvals as campaign_approvals
from clarion.storage.schema.campaigns import campaign_names as campaign_names
from clarion.storage.schema.campaigns import campaigns as campaigns
from clarion.storage.schema.campaigns import launches as launches
from clarion.storage.schema.campaigns import workspace_limits as workspace_limits
from clarion.storage.schema.columns import metadata as metadata
from clarion.storage.schema.customers import category_choices as category_choices
from clarion.storage.schema.customers import claims as claims
from clarion.storage.schema.customers import companions as companions
from clarion.storage.schema.customers import customers as customers
from clarion.storage.schema.customers import identifiers as identifiers
from clarion.storage.schema.customers import merges as merges
from clarion.storage.schema.customers import suppressions as suppressions
from clarion.storage.schema.customers import trait_claims as trait_claims
from clarion.storage.schema.deliveries import chunks as chunks
from clarion.storage.schema.deliveries import customer_deliveries as customer_deliveries
from clarion.storage.schema.deliveries import deliveries as deliveries
from clarion.storage.schema.deliveries import firebase_apps as firebase_apps
from clarion.storage.schema.deliveries import launch_counts as launch_counts
from clarion.storage.schema.deliveries import launch_hours as launch_hours
from clarion.storage.schema.deliveries import launch_latencies as launch_latencies
from clarion.storage.schema.deliveries import paces as paces
from clarion.storage.schema.deliveries import pushes as pushes
from clarion.storage.schema.deliveries import quarantine as quarantine
from clarion.storage.schema.deliveries import recent_pushes as recent_pushes
from clarion.storage.schema.deliveries import removal_watches as removal_watches
from clarion.storage.schema.devices import device_deletions as device_deletions
from clarion.storage.schema.devices import device_history as device_history
from clarion.storage.schema.devices import devices as devices
from clarion.storage.schema.devices import tokens as tokens
from clarion.storage.schema.events import awaited_events as awaited_events
from clarion.storage.schema.events import clock_leads as clock_leads
from clarion.storage.schema.events import conversions_due as conversions_due
from clarion.storage.schema.events import event_traces as event_traces
from clarion.storage.schema.events import events as events
from clarion.storage.schema.events import ownership_periods as ownership_periods
from clarion.storage.schema.events import receipts_due as receipts_due
from clarion.storage.schema.events import seen_messages as seen_messages
from clarion.storage.schema.ingest_log import ingest_log as ingest_log
from clarion.storage.schema.ingest_log import source_counts as source_counts
from clarion.storage.schema.jobs import job_keys as job_keys
from clarion.storage.schema.jobs import jobs as jobs
from clarion.storage.schema.jobs import leases as leases
from clarion.storage.schema.privacy import erasures as erasures
from clarion.storage.schema.sources import identity_secrets as identity_secrets
from clarion.storage.schema.sources import sources as sources
from clarion.storage.schema.sources import write_keys as write_keys
