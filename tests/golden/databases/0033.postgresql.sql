






CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);



CREATE TABLE public.api_keys (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    key_hash text NOT NULL,
    key_hint text NOT NULL,
    scopes jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    made_by uuid
);



CREATE TABLE public.audience_members (
    workspace_id uuid NOT NULL,
    audience_id uuid NOT NULL,
    user_id text NOT NULL
);



CREATE TABLE public.audiences (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    owner_id uuid,
    owner text NOT NULL,
    rule jsonb,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone
);



CREATE TABLE public.audit (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_kind text NOT NULL,
    actor_id uuid,
    actor_name text NOT NULL,
    verb text NOT NULL,
    thing_kind text NOT NULL,
    thing_id text NOT NULL,
    request_id text,
    changes jsonb NOT NULL
);



CREATE TABLE public.awaited_events (
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    launch_id uuid NOT NULL,
    window_seconds integer NOT NULL
);



CREATE TABLE public.campaign_approvals (
    campaign_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    state text NOT NULL,
    fingerprint text NOT NULL,
    at text NOT NULL,
    proposed_by jsonb NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    decided_by jsonb,
    decided_at timestamp with time zone,
    scheduled_at timestamp with time zone,
    comment text
);



CREATE TABLE public.campaign_names (
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    campaign_id uuid NOT NULL
);



CREATE TABLE public.campaigns (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    content jsonb NOT NULL,
    audience jsonb NOT NULL,
    scheduled_at timestamp with time zone,
    spread_minutes integer DEFAULT 0 NOT NULL,
    paused_reason text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    trigger jsonb,
    launch_id uuid,
    late_after_minutes integer,
    archived_at timestamp with time zone,
    category text,
    is_transactional boolean DEFAULT false NOT NULL,
    conversion jsonb,
    code text,
    timing jsonb
);



CREATE TABLE public.category_choices (
    workspace_id uuid NOT NULL,
    user_id text NOT NULL,
    category text NOT NULL,
    is_subscribed boolean NOT NULL,
    at timestamp with time zone NOT NULL
);



CREATE TABLE public.chunks (
    id uuid NOT NULL,
    launch_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    firebase_app_id uuid,
    state text NOT NULL,
    attempt integer NOT NULL,
    due_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone,
    lost integer DEFAULT 0 NOT NULL,
    is_held boolean DEFAULT false NOT NULL,
    size integer NOT NULL,
    first_device_id uuid,
    last_device_id uuid,
    members bytea,
    is_transactional boolean DEFAULT false NOT NULL
);



CREATE TABLE public.claims (
    workspace_id uuid NOT NULL,
    key text NOT NULL,
    at timestamp with time zone NOT NULL,
    message_id text NOT NULL,
    user_id text NOT NULL,
    kind text NOT NULL,
    sender bigint DEFAULT '0'::bigint NOT NULL,
    ahead bigint
);



CREATE TABLE public.clock_leads (
    workspace_id uuid NOT NULL,
    key text NOT NULL,
    source_id uuid NOT NULL,
    lead bigint NOT NULL
);



CREATE TABLE public.companions (
    workspace_id uuid NOT NULL,
    id text NOT NULL,
    key text NOT NULL
);



CREATE TABLE public.conversions_due (
    seq bigint NOT NULL,
    due_at timestamp with time zone NOT NULL
);



CREATE TABLE public.customer_deliveries (
    customer_id uuid NOT NULL,
    launch_id uuid NOT NULL,
    device_id uuid NOT NULL
);



CREATE TABLE public.customers (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    user_id text COLLATE pg_catalog."C",
    key text,
    email text COLLATE pg_catalog."C",
    traits jsonb NOT NULL,
    stamps jsonb NOT NULL,
    push_stamp jsonb,
    push_opted_out boolean NOT NULL,
    suppressed_at timestamp with time zone,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL
);



CREATE TABLE public.deliveries (
    launch_id uuid NOT NULL,
    device_id uuid NOT NULL,
    chunk_id uuid,
    customer_id uuid NOT NULL,
    platform text NOT NULL,
    state text NOT NULL,
    reason text,
    attempts integer NOT NULL,
    unanswered integer NOT NULL,
    first_tried_at timestamp with time zone,
    settled_at timestamp with time zone,
    received_at timestamp with time zone,
    opened_at timestamp with time zone,
    converted_at timestamp with time zone,
    language text
);



CREATE TABLE public.device_deletions (
    workspace_id uuid NOT NULL,
    device_id text NOT NULL,
    at timestamp with time zone NOT NULL,
    message_id text NOT NULL,
    user_id text,
    token_hash text
);



CREATE TABLE public.device_history (
    seq bigint NOT NULL,
    workspace_id uuid NOT NULL,
    device_id text NOT NULL,
    customer_id uuid,
    previous_customer_id uuid,
    change text NOT NULL,
    reason text,
    token_fingerprint text,
    message_id text,
    at timestamp with time zone NOT NULL
);



CREATE SEQUENCE public.device_history_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;



ALTER SEQUENCE public.device_history_seq_seq OWNED BY public.device_history.seq;



CREATE TABLE public.devices (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    device_id text NOT NULL,
    customer_id uuid NOT NULL,
    source_id uuid NOT NULL,
    platform text NOT NULL,
    token text,
    token_kind text NOT NULL,
    token_hash text,
    installation_hash text,
    token_rank integer NOT NULL,
    token_message_id text NOT NULL,
    registered_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    reason text,
    removed_token_hash text,
    removed_at timestamp with time zone,
    removed_reason text,
    spares jsonb,
    facts jsonb,
    app_version text,
    last_seen_at timestamp with time zone NOT NULL,
    order_at timestamp with time zone,
    moved_fcm text,
    moved_fid text,
    moved_apns text
);



CREATE TABLE public.erasures (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    person jsonb NOT NULL,
    made_by text NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    touched_at timestamp with time zone NOT NULL,
    events integer NOT NULL,
    deliveries integer NOT NULL,
    refusals integer NOT NULL,
    attempt integer DEFAULT 0 NOT NULL
);



CREATE TABLE public.event_traces (
    workspace_id uuid NOT NULL,
    key text NOT NULL,
    at timestamp with time zone NOT NULL,
    seq bigint NOT NULL,
    is_user boolean NOT NULL,
    source_id uuid NOT NULL,
    clock_at timestamp with time zone,
    order_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    is_active boolean NOT NULL,
    message_id text
);



CREATE TABLE public.events (
    seq bigint NOT NULL,
    workspace_id uuid NOT NULL,
    message_id text NOT NULL,
    source_id uuid NOT NULL,
    type text NOT NULL,
    name text,
    user_id text,
    anonymous_id text,
    device_id text,
    at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    body text NOT NULL,
    clock_at timestamp with time zone,
    order_at timestamp with time zone,
    key text
);



CREATE SEQUENCE public.events_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;



ALTER SEQUENCE public.events_seq_seq OWNED BY public.events.seq;



CREATE TABLE public.firebase_apps (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    project_id text NOT NULL,
    client_email text NOT NULL,
    private_key_id text,
    sealed_key bytea NOT NULL,
    paused_reason text,
    per_minute integer DEFAULT 600000 NOT NULL,
    avoids_peaks boolean DEFAULT false NOT NULL,
    removals_stopped_at timestamp with time zone,
    removals_stopped_reason text,
    created_at timestamp with time zone NOT NULL,
    replaced_at timestamp with time zone,
    paused_at timestamp with time zone,
    tries_again_at timestamp with time zone
);



CREATE TABLE public.identifiers (
    workspace_id uuid NOT NULL,
    key text NOT NULL,
    is_user boolean NOT NULL,
    is_device boolean NOT NULL,
    is_guarded boolean NOT NULL,
    timeline jsonb NOT NULL,
    facts text,
    is_named boolean DEFAULT false NOT NULL,
    is_known boolean DEFAULT false NOT NULL,
    decides_as_user boolean DEFAULT false NOT NULL,
    decides_as_key boolean DEFAULT false NOT NULL,
    day_claim text
);



CREATE TABLE public.identity_secrets (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    source_id uuid NOT NULL,
    sealed_secret bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    retires_at timestamp with time zone
);



CREATE TABLE public.ingest_log (
    seq bigint NOT NULL,
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    source_id uuid NOT NULL,
    received_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    stage text,
    code text,
    message text,
    count integer NOT NULL,
    message_id text,
    type text,
    name text,
    user_id text,
    anonymous_id text,
    device_id text,
    library text,
    library_version text,
    at timestamp with time zone,
    excerpt text
);



CREATE SEQUENCE public.ingest_log_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;



ALTER SEQUENCE public.ingest_log_seq_seq OWNED BY public.ingest_log.seq;



CREATE TABLE public.invitations (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    token_hash text NOT NULL,
    email text,
    role text NOT NULL,
    invited_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);



CREATE TABLE public.job_keys (
    key text NOT NULL,
    published_at timestamp with time zone NOT NULL
);



CREATE TABLE public.jobs (
    id bigint NOT NULL,
    kind text NOT NULL,
    payload bytea NOT NULL,
    key text,
    available_at timestamp with time zone NOT NULL,
    delivery_count integer DEFAULT 0 NOT NULL,
    published_at timestamp with time zone NOT NULL,
    rejected_reason text
);



CREATE SEQUENCE public.jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;



ALTER SEQUENCE public.jobs_id_seq OWNED BY public.jobs.id;



CREATE TABLE public.launch_counts (
    launch_id uuid CONSTRAINT launch_counts_moved_launch_id_not_null NOT NULL,
    platform text CONSTRAINT launch_counts_moved_platform_not_null NOT NULL,
    state text CONSTRAINT launch_counts_moved_state_not_null NOT NULL,
    reason text CONSTRAINT launch_counts_moved_reason_not_null NOT NULL,
    language text DEFAULT ''::text CONSTRAINT launch_counts_moved_language_not_null NOT NULL,
    count integer CONSTRAINT launch_counts_moved_count_not_null NOT NULL,
    received integer CONSTRAINT launch_counts_moved_received_not_null NOT NULL,
    opened integer CONSTRAINT launch_counts_moved_opened_not_null NOT NULL,
    attempts integer CONSTRAINT launch_counts_moved_attempts_not_null NOT NULL,
    unanswered integer CONSTRAINT launch_counts_moved_unanswered_not_null NOT NULL,
    converted integer DEFAULT 0 CONSTRAINT launch_counts_moved_converted_not_null NOT NULL
);



CREATE TABLE public.launch_hours (
    launch_id uuid NOT NULL,
    hour timestamp with time zone NOT NULL,
    received integer NOT NULL,
    opened integer NOT NULL,
    converted integer DEFAULT 0 NOT NULL
);



CREATE TABLE public.launch_latencies (
    launch_id uuid NOT NULL,
    kind text NOT NULL,
    up_to_seconds integer NOT NULL,
    count integer NOT NULL
);



CREATE TABLE public.launches (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    state text NOT NULL,
    cursor uuid,
    planned integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    planned_at timestamp with time zone,
    done_at timestamp with time zone,
    occurrence text NOT NULL,
    paused_from text,
    reason text,
    due_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    indexed_at timestamp with time zone,
    rewritten integer DEFAULT 0 NOT NULL,
    deliveries_removed_at timestamp with time zone,
    emptied_at timestamp with time zone,
    audience jsonb,
    own_time jsonb,
    traceparent text
);



CREATE TABLE public.leases (
    name text NOT NULL,
    holder text,
    fence bigint NOT NULL,
    renewals bigint NOT NULL,
    renewed_at timestamp with time zone
);



CREATE TABLE public.memberships (
    person_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    deactivated_at timestamp with time zone
);



CREATE TABLE public.merges (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    from_user text NOT NULL,
    into_user text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    made_by text NOT NULL,
    undone_at timestamp with time zone,
    undone_by text
);



CREATE TABLE public.ownership_periods (
    workspace_id uuid NOT NULL,
    key text NOT NULL,
    start_at timestamp with time zone NOT NULL,
    end_at timestamp with time zone NOT NULL,
    customer_id uuid NOT NULL,
    is_user boolean NOT NULL,
    is_real boolean NOT NULL
);



CREATE TABLE public.paces (
    project_id text NOT NULL,
    next_at timestamp with time zone NOT NULL,
    queued_until timestamp with time zone NOT NULL,
    rate double precision NOT NULL,
    cut_rate double precision,
    cut_at timestamp with time zone,
    passing_at timestamp with time zone,
    quiet_until timestamp with time zone
);



CREATE TABLE public.password_resets (
    person_id uuid NOT NULL,
    token_hash text NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    workspace_id uuid
);



CREATE TABLE public.people (
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    time_zone text,
    locale text,
    theme text,
    single_keys boolean
);



CREATE TABLE public.pushes (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    campaign_id uuid,
    customer_id uuid NOT NULL,
    content jsonb,
    event jsonb,
    planned jsonb NOT NULL,
    skipped text,
    key_hash text,
    request_hash text,
    created_at timestamp with time zone NOT NULL
);



CREATE TABLE public.quarantine (
    firebase_app_id uuid NOT NULL,
    device_id uuid NOT NULL,
    token_hash text NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone NOT NULL
);



CREATE TABLE public.receipts_due (
    seq bigint NOT NULL
);



CREATE TABLE public.recent_pushes (
    customer_id uuid NOT NULL,
    pushes bytea NOT NULL
);



CREATE TABLE public.removal_watches (
    firebase_app_id uuid NOT NULL,
    recent double precision NOT NULL,
    recent_removed double precision NOT NULL,
    recent_mismatched double precision NOT NULL,
    usual double precision NOT NULL,
    usual_removed double precision NOT NULL,
    accepted_at timestamp with time zone
);



CREATE TABLE public.seen_messages (
    hash bytea NOT NULL,
    received_at timestamp with time zone NOT NULL,
    seq bigint NOT NULL
);



CREATE TABLE public.sessions (
    id uuid NOT NULL,
    token_hash text NOT NULL,
    person_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    address text,
    browser text,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL
);



CREATE TABLE public.sign_in_tries (
    key text NOT NULL,
    tries integer NOT NULL,
    begun_at timestamp with time zone NOT NULL
);



CREATE TABLE public.source_counts (
    source_id uuid NOT NULL,
    hour timestamp with time zone NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    name text NOT NULL,
    count bigint NOT NULL
);



CREATE TABLE public.sources (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    firebase_app_id uuid,
    allowed_origins jsonb NOT NULL,
    events_per_second integer,
    burst integer,
    signatures_from timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);



CREATE TABLE public.suppressions (
    workspace_id uuid NOT NULL,
    hash text NOT NULL,
    subject text NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL
);



CREATE TABLE public.tokens (
    workspace_id uuid NOT NULL,
    installation_hash text NOT NULL,
    device_id text NOT NULL,
    at timestamp with time zone NOT NULL,
    rank integer NOT NULL,
    message_id text NOT NULL
);



CREATE TABLE public.trait_claims (
    workspace_id uuid NOT NULL,
    key text NOT NULL,
    message_id text NOT NULL,
    is_user boolean NOT NULL,
    source_id uuid NOT NULL,
    installation text,
    at timestamp with time zone NOT NULL,
    clock_at timestamp with time zone,
    order_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    is_active boolean NOT NULL,
    traits text NOT NULL
);



CREATE TABLE public.workspace_limits (
    workspace_id uuid NOT NULL,
    exclusions jsonb,
    caps jsonb,
    quiet_hours jsonb,
    needs_approval boolean DEFAULT false NOT NULL,
    updated_at timestamp with time zone NOT NULL
);



CREATE TABLE public.workspaces (
    id uuid NOT NULL,
    name text NOT NULL,
    stale_after_days integer DEFAULT 60 NOT NULL,
    salt bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    retention jsonb,
    time_zone text DEFAULT 'UTC'::text NOT NULL
);



CREATE TABLE public.write_keys (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    source_id uuid NOT NULL,
    write_key text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    retires_at timestamp with time zone
);



ALTER TABLE ONLY public.device_history ALTER COLUMN seq SET DEFAULT nextval('public.device_history_seq_seq'::regclass);



ALTER TABLE ONLY public.events ALTER COLUMN seq SET DEFAULT nextval('public.events_seq_seq'::regclass);



ALTER TABLE ONLY public.ingest_log ALTER COLUMN seq SET DEFAULT nextval('public.ingest_log_seq_seq'::regclass);



ALTER TABLE ONLY public.jobs ALTER COLUMN id SET DEFAULT nextval('public.jobs_id_seq'::regclass);



INSERT INTO public.alembic_version VALUES ('0033');












INSERT INTO public.audit VALUES ('019ca945-0a00-7000-8000-000000000003', '00000000-0000-0000-0000-000000000001', '2026-03-01 12:00:00+00', 'system', NULL, 'test', 'customer.merge', 'merge', '019ca945-0a00-7000-8000-000000000002', NULL, '{}');
INSERT INTO public.audit VALUES ('019ca945-0a00-7000-8000-000000000004', '00000000-0000-0000-0000-000000000001', '2026-03-01 12:00:00+00', 'system', NULL, 'test', 'customer.suppress', 'customer', '64de97d022404a9f63832d3a49f6c16f3bcd61170cd9cba33ccb313543323c57', NULL, '{}');
INSERT INTO public.audit VALUES ('019ca945-0a00-7000-8000-000000000006', '00000000-0000-0000-0000-000000000001', '2026-03-01 12:00:00+00', 'system', NULL, 'scheduler', 'campaign.launch', 'campaign', '019ca945-0a00-7000-8000-000000000005', NULL, '{"state": ["scheduled", "launching"]}');
INSERT INTO public.audit VALUES ('019ca945-f460-7000-8000-000000000012', '00000000-0000-0000-0000-000000000001', '2026-03-01 12:01:00+00', 'system', NULL, 'sender', 'campaign.finish', 'campaign', '019ca945-0a00-7000-8000-000000000005', NULL, '{"state": ["sending", "done"], "launch_id": "cad3dde5-bfac-5d23-ad4c-744ac78805f9"}');
INSERT INTO public.audit VALUES ('019ca945-f848-7000-8000-000000000014', '00000000-0000-0000-0000-000000000001', '2026-03-01 12:01:01+00', 'system', NULL, 'scheduler', 'campaign.launch', 'campaign', '019ca945-f460-7000-8000-000000000013', NULL, '{"state": ["scheduled", "launching"]}');
INSERT INTO public.audit VALUES ('019ca945-f848-7000-8000-000000000021', '00000000-0000-0000-0000-000000000001', '2026-03-01 12:01:01+00', 'system', NULL, 'test', 'customer.erase', 'customer', '2be5e90ac736882756b1141f5e6a17cddb152e06434414a5014ba3193d9e238b', NULL, '{}');












INSERT INTO public.campaigns VALUES ('019ca945-0a00-7000-8000-000000000005', '00000000-0000-0000-0000-000000000001', 'Test', 'ended', '{"body": null, "data": {}, "link": null, "image": null, "title": "First", "priority": "high", "ttl_seconds": 7200, "collapse_key": null}', '{"everyone": true}', '2026-03-01 12:00:00+00', 0, NULL, '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00', '{"type": "once"}', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', NULL, NULL, NULL, false, NULL, NULL, NULL);
INSERT INTO public.campaigns VALUES ('019ca945-f460-7000-8000-000000000013', '00000000-0000-0000-0000-000000000001', 'Test', 'ended', '{"body": null, "data": {}, "link": null, "image": null, "title": "Second", "priority": "high", "ttl_seconds": 7200, "collapse_key": null}', '{"everyone": true}', '2026-03-01 12:01:00+00', 0, NULL, '2026-03-01 12:01:00+00', '2026-03-01 12:01:01+00', '{"type": "once"}', '89a15aef-affa-5394-a960-1d82daaa5b60', NULL, NULL, NULL, false, NULL, NULL, NULL);






INSERT INTO public.chunks VALUES ('019ca945-0a00-7000-8000-000000000007', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:00:00+00', NULL, 0, false, 2, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-0a00-7000-8000-000000000008', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:00:00+00', NULL, 0, false, 2, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-0a00-7000-8000-000000000009', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:00:00+00', NULL, 0, false, 1, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-0a00-7000-8000-00000000000a', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:00:00+00', NULL, 0, false, 2, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-0a00-7000-8000-00000000000b', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:00:00+00', NULL, 0, false, 2, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-0a00-7000-8000-00000000000c', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:00:00+00', NULL, 0, false, 2, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-0a00-7000-8000-00000000000d', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:00:00+00', NULL, 0, false, 2, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-0a00-7000-8000-00000000000e', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:00:00+00', NULL, 0, false, 1, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-0a00-7000-8000-00000000000f', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:00:00+00', NULL, 0, false, 2, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-0a00-7000-8000-000000000010', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:00:15+00', NULL, 0, false, 1, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-0a00-7000-8000-000000000011', 'cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:00:15+00', NULL, 0, false, 1, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-f848-7000-8000-000000000018', '89a15aef-affa-5394-a960-1d82daaa5b60', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'ready', 0, '2026-03-01 12:01:01+00', NULL, 0, false, 2, '2b6ac7fb-0d05-5616-a324-9844a7157a99', '4a83b523-3b29-56a0-83d2-2344173a6a87', '\x2b6ac7fb0d055616a3249844a7157a99d5b9e15e2cd05e41b4c6ea0e60d53238614a83b5233b2956a083d22344173a6a87d2ba8366d5c850c59d94ecc2210ed54c61', false);
INSERT INTO public.chunks VALUES ('019ca945-f848-7000-8000-000000000019', '89a15aef-affa-5394-a960-1d82daaa5b60', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'ready', 0, '2026-03-01 12:01:01+00', NULL, 0, false, 2, '95a85238-46b4-5530-b618-d11bf7ff16a6', 'bb66d1cc-c12b-59ab-90b2-3f93c1117b76', '\x95a8523846b45530b618d11bf7ff16a6d80c4aef043e5dc6b50e0ef1d954cb2761bb66d1ccc12b59ab90b23f93c1117b76743cb3fee6f15025b72759d9666a908e61', false);
INSERT INTO public.chunks VALUES ('019ca945-f848-7000-8000-00000000001a', '89a15aef-affa-5394-a960-1d82daaa5b60', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'ready', 0, '2026-03-01 12:01:01+00', NULL, 0, false, 2, 'bb99504b-ae04-5e98-b3e0-41339d7a82b1', 'c37067ee-6cf4-5289-91a4-69104ec3eac8', '\xbb99504bae045e98b3e041339d7a82b14ef42513ca0d5ae2a8ae4f2ff7c0a2ed61c37067ee6cf4528991a469104ec3eac82b88567581d85350a3a5a8cc6b4ca2a361', false);
INSERT INTO public.chunks VALUES ('019ca945-f848-7000-8000-00000000001b', '89a15aef-affa-5394-a960-1d82daaa5b60', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'ready', 0, '2026-03-01 12:01:01+00', NULL, 0, false, 2, 'd02ace7a-2501-51f3-a5da-1ea47105218b', 'e1430916-a450-5b3e-8b15-6c7f60263002', '\xd02ace7a250151f3a5da1ea47105218b430cba78021a56b9bc5fd68a16e14e6a61e1430916a4505b3e8b156c7f602630025cb6dce7769f5134a516ccd20ab1100961', false);
INSERT INTO public.chunks VALUES ('019ca945-f848-7000-8000-00000000001c', '89a15aef-affa-5394-a960-1d82daaa5b60', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'ready', 0, '2026-03-01 12:01:01+00', NULL, 0, false, 1, 'e817b1ae-63c7-58ef-a695-b8a9efb4a129', 'e817b1ae-63c7-58ef-a695-b8a9efb4a129', '\xe817b1ae63c758efa695b8a9efb4a12911fead9ca4b156268673002b2353531961', false);
INSERT INTO public.chunks VALUES ('019ca945-f848-7000-8000-000000000015', '89a15aef-affa-5394-a960-1d82daaa5b60', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:01:01+00', NULL, 0, false, 2, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-f848-7000-8000-000000000016', '89a15aef-affa-5394-a960-1d82daaa5b60', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'settled', 1, '2026-03-01 12:01:01+00', NULL, 0, false, 2, NULL, NULL, NULL, false);
INSERT INTO public.chunks VALUES ('019ca945-f848-7000-8000-000000000017', '89a15aef-affa-5394-a960-1d82daaa5b60', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'leased', 1, '2026-03-01 12:01:01+00', '2026-03-01 12:01:46+00', 0, false, 1, '228ab479-fbf7-58fc-b30e-e9e5e1142d19', '228ab479-fbf7-58fc-b30e-e9e5e1142d19', '\x228ab479fbf758fcb30ee9e5e1142d19fae681ea11945c94b68d92ea3a5cdab961', false);
INSERT INTO public.chunks VALUES ('019ca945-f848-7000-8000-00000000001d', '89a15aef-affa-5394-a960-1d82daaa5b60', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'ready', 0, '2026-03-01 12:01:01+00', NULL, 0, false, 1, 'ff1853da-d7a3-525c-9405-4ed823d077b4', 'ff1853da-d7a3-525c-9405-4ed823d077b4', '\xff1853dad7a3525c94054ed823d077b4ce1b2e103e165af886408478eb6ba13a61', false);
INSERT INTO public.chunks VALUES ('019ca945-f848-7000-8000-00000000001e', '89a15aef-affa-5394-a960-1d82daaa5b60', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'ready', 0, '2026-03-01 12:01:15+00', NULL, 0, false, 1, NULL, NULL, NULL, false);



INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'browser', '2026-03-01 00:03:00+00', 'm03', 'ada', 'mover', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'carl-before', '2026-03-01 00:11:00+00', 'm11', 'carl', 'alias', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'gone', '2026-03-01 00:13:00+00', 'm14', 'erased', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'old', '2026-03-01 00:07:00+00', 'm07', 'bob', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'old', '2026-03-01 00:08:00+00', 'm08', 'bob', 'deletion', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'phone', '2026-03-01 00:01:00+00', 'm01', 'ada', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'quiet', '2026-03-01 00:12:00+00', 'm12', 'quiet', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'tablet', '2026-03-01 00:04:00+00', 'm04', 'ada', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'tablet', '2026-03-01 00:05:00+00', 'm05', 'bob', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-bad-1', '2026-03-01 00:00:00+00', 'm18', 'user-bad-1', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-dead-1', '2026-03-01 00:00:00+00', 'm17', 'user-dead-1', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-down-1', '2026-03-01 00:00:00+00', 'm19', 'user-down-1', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-lost-1', '2026-03-01 00:00:00+00', 'm16', 'user-lost-1', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-1', '2026-03-01 00:00:00+00', 'm20', 'user-ok-1', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-2', '2026-03-01 00:00:00+00', 'm21', 'user-ok-2', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-3', '2026-03-01 00:00:00+00', 'm22', 'user-ok-3', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-4', '2026-03-01 00:00:00+00', 'm23', 'user-ok-4', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-5', '2026-03-01 00:00:00+00', 'm24', 'user-ok-5', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-6', '2026-03-01 00:00:00+00', 'm25', 'user-ok-6', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-7', '2026-03-01 00:00:00+00', 'm26', 'user-ok-7', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-8', '2026-03-01 00:00:00+00', 'm27', 'user-ok-8', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-9', '2026-03-01 00:00:00+00', 'm28', 'user-ok-9', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'kiosk', '2026-03-01 00:31:00+00', 'hands02', 'dora', 'mover', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'kiosk-before', '2026-03-01 00:39:00+00', 'hands12', 'bob-2', 'alias', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'shared-tablet', '2026-03-01 00:33:00+00', 'hands04', 'dora', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'shared-tablet', '2026-03-01 00:34:00+00', 'hands05', 'shared-tablet', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'shared-tablet', '2026-03-01 00:36:00+00', 'hands07', 'emil', 'registration', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'shared-tablet', '2026-03-01 00:36:00+00', 'hands08', 'emil', 'mover', 2, NULL);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'fast-clock', '2026-03-01 01:02:00+00', 'hands15', 'fay', 'mover', 2, 1260000000);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'fast-clock', '2026-03-01 01:06:00+00', 'hands17', 'gus', 'mover', 2, 1380000000);
INSERT INTO public.claims VALUES ('00000000-0000-0000-0000-000000000001', 'device-as-user', '2026-03-01 00:45:00+00', 'hands19', 'device-as-user', 'registration', 2, NULL);



INSERT INTO public.clock_leads VALUES ('00000000-0000-0000-0000-000000000001', 'fast-clock', '00000000-0000-0000-0000-000000000002', 1380000000);












INSERT INTO public.customers VALUES ('e0b34d38-7ad2-5efa-a89b-137daddc3dd8', '00000000-0000-0000-0000-000000000001', 'carl', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:11:00+00', '2026-03-01 00:11:00+00');
INSERT INTO public.customers VALUES ('ff175c16-273c-53bd-a72c-0bfe252385b9', '00000000-0000-0000-0000-000000000001', 'quiet', NULL, 'quiet@shop.example', '{"email": "quiet@shop.example"}', '{"email": [1, 1772323920000000, "m13"]}', NULL, false, '2026-03-01 12:00:00+00', '2026-03-01 00:12:00+00', '2026-03-01 00:12:00+00');
INSERT INTO public.customers VALUES ('11fead9c-a4b1-5626-8673-002b23535319', '00000000-0000-0000-0000-000000000001', 'user-ok-1', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('27365b04-e0b8-570e-83a4-0769a6291d18', '00000000-0000-0000-0000-000000000001', 'user-ok-7', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('2b885675-81d8-5350-a3a5-a8cc6b4ca2a3', '00000000-0000-0000-0000-000000000001', 'user-ok-2', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('3a7b6c66-3f27-5077-8033-fd3cdd99b6c6', '00000000-0000-0000-0000-000000000001', 'user-dead-1', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('430cba78-021a-56b9-bc5f-d68a16e14e6a', '00000000-0000-0000-0000-000000000001', 'user-ok-4', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('4ef42513-ca0d-5ae2-a8ae-4f2ff7c0a2ed', '00000000-0000-0000-0000-000000000001', 'user-ok-8', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('5cb6dce7-769f-5134-a516-ccd20ab11009', '00000000-0000-0000-0000-000000000001', 'user-bad-1', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('743cb3fe-e6f1-5025-b727-59d9666a908e', '00000000-0000-0000-0000-000000000001', 'user-ok-5', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('ce1b2e10-3e16-5af8-8640-8478eb6ba13a', '00000000-0000-0000-0000-000000000001', 'user-ok-6', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('d0fc7e34-c981-5723-b4bb-a61f2265555c', '00000000-0000-0000-0000-000000000001', 'user-down-1', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('d5b9e15e-2cd0-5e41-b4c6-ea0e60d53238', '00000000-0000-0000-0000-000000000001', 'user-ok-9', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('fae681ea-1194-5c94-b68d-92ea3a5cdab9', '00000000-0000-0000-0000-000000000001', 'user-lost-1', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('fd175387-e769-5c90-ac25-54807051d2dc', '00000000-0000-0000-0000-000000000001', 'user-ok-3', NULL, NULL, '{}', '{}', NULL, false, NULL, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
INSERT INTO public.customers VALUES ('d80c4aef-043e-5dc6-b50e-0ef1d954cb27', '00000000-0000-0000-0000-000000000001', 'bob', NULL, NULL, '{"city": "Graz", "plan": "free", "tags": ["a", "é"]}', '{"city": [1, 1772323740000000, "m09"], "plan": [1, 1772323740000000, "m09"], "tags": [1, 1772323560000000, "m06"]}', NULL, false, NULL, '2026-03-01 00:05:00+00', '2026-03-01 00:39:00+00');
INSERT INTO public.customers VALUES ('6b4671de-8454-5650-90ac-f8925ea74ec9', '00000000-0000-0000-0000-000000000001', 'emil', NULL, NULL, '{"plan": "basic"}', '{"plan": [1, 1772325360000000, "hands08"]}', NULL, false, NULL, '2026-03-01 00:34:00+00', '2026-03-01 00:37:00+00');
INSERT INTO public.customers VALUES ('3671df65-ddfc-50f1-a2bc-911c6028c71c', '00000000-0000-0000-0000-000000000001', 'fay', NULL, NULL, '{"city": "Linz"}', '{"city": [1, 1772326920000000, "hands15"]}', NULL, false, NULL, '2026-03-01 00:40:00+00', '2026-03-01 00:42:00+00');
INSERT INTO public.customers VALUES ('b2b4b0f6-c08e-58c4-989e-5c9bf9ef1185', '00000000-0000-0000-0000-000000000001', 'gus', NULL, NULL, '{"city": "Wels"}', '{"city": [1, 1772327160000000, "hands17"]}', NULL, false, NULL, '2026-03-01 00:43:00+00', '2026-03-01 00:44:00+00');
INSERT INTO public.customers VALUES ('22a013a7-5d66-53c3-bd6b-50948b1298fa', '00000000-0000-0000-0000-000000000001', 'dora', NULL, 'dora@shop.example', '{"email": "dora@shop.example"}', '{"email": [1, 1772325060000000, "hands02"]}', NULL, false, NULL, '2026-03-01 00:28:00+00', '2026-03-01 00:33:00+00');
INSERT INTO public.customers VALUES ('7cb962c1-73bf-5b87-acdc-20ed58965613', '00000000-0000-0000-0000-000000000001', NULL, 'device-as-user', NULL, '{"theme": "dark"}', '{"theme": [0, 1772325480000000, "hands10"]}', NULL, false, NULL, '2026-03-01 00:38:00+00', '2026-03-01 00:46:00+00');
INSERT INTO public.customers VALUES ('d2ba8366-d5c8-50c5-9d94-ecc2210ed54c', '00000000-0000-0000-0000-000000000001', 'ada', NULL, 'ada@shop.example', '{"n": 1.5, "email": "ada@shop.example"}', '{"n": [1, 1772323380000000, "m03"], "email": [1, 1772323380000000, "m03"]}', NULL, false, NULL, '2026-03-01 00:01:00+00', '2026-03-01 00:50:00+00');
INSERT INTO public.customers VALUES ('7b72358c-0ece-55a5-9f63-9032e7b9f697', '00000000-0000-0000-0000-000000000001', 'erased', NULL, 'erased@shop.example', '{"email": "erased@shop.example"}', '{"email": [1, 1772324040000000, "m15"]}', NULL, false, '2026-03-01 12:01:01+00', '2026-03-01 00:13:00+00', '2026-03-01 00:14:00+00');



INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '286f1376-30e5-5434-9d59-6cb917272c41', NULL, 'ff175c16-273c-53bd-a72c-0bfe252385b9', 'Android', 'skipped', 'opted_out', 0, 0, NULL, '2026-03-01 12:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '2b6ac7fb-0d05-5616-a324-9844a7157a99', NULL, 'd5b9e15e-2cd0-5e41-b4c6-ea0e60d53238', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '3c2b5eea-6a4c-5f5d-90d9-f6a7b3e41f05', NULL, '3a7b6c66-3f27-5077-8033-fd3cdd99b6c6', 'Android', 'unregistered', 'unregistered', 1, 0, NULL, '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '4a83b523-3b29-56a0-83d2-2344173a6a87', NULL, 'd2ba8366-d5c8-50c5-9d94-ecc2210ed54c', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '95a85238-46b4-5530-b618-d11bf7ff16a6', NULL, 'd80c4aef-043e-5dc6-b50e-0ef1d954cb27', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'bb66d1cc-c12b-59ab-90b2-3f93c1117b76', NULL, '743cb3fe-e6f1-5025-b727-59d9666a908e', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'bb99504b-ae04-5e98-b3e0-41339d7a82b1', NULL, '4ef42513-ca0d-5ae2-a8ae-4f2ff7c0a2ed', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'c37067ee-6cf4-5289-91a4-69104ec3eac8', NULL, '2b885675-81d8-5350-a3a5-a8cc6b4ca2a3', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'd02ace7a-2501-51f3-a5da-1ea47105218b', NULL, '430cba78-021a-56b9-bc5f-d68a16e14e6a', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'e1430916-a450-5b3e-8b15-6c7f60263002', NULL, '5cb6dce7-769f-5134-a516-ccd20ab11009', 'Android', 'rejected', 'payload_too_big', 1, 0, NULL, '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'e817b1ae-63c7-58ef-a695-b8a9efb4a129', NULL, '11fead9c-a4b1-5626-8673-002b23535319', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'ff1853da-d7a3-525c-9405-4ed823d077b4', NULL, 'ce1b2e10-3e16-5af8-8640-8478eb6ba13a', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '144094dd-77bf-5b1e-a0fd-c5a4390bf65f', NULL, 'd0fc7e34-c981-5723-b4bb-a61f2265555c', 'Android', 'accepted', NULL, 2, 0, '2026-03-01 12:00:00+00', '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '228ab479-fbf7-58fc-b30e-e9e5e1142d19', NULL, 'fae681ea-1194-5c94-b68d-92ea3a5cdab9', 'Android', 'accepted', NULL, 2, 1, '2026-03-01 12:00:00+00', '2026-03-01 12:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '01bc0506-bddf-5ef9-b3d0-7a28be0f4c28', NULL, '27365b04-e0b8-570e-83a4-0769a6291d18', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:00:00+00', '2026-03-01 00:20:00+00', NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '0f63bc78-00e1-52fe-abc4-a95a06164c6c', NULL, 'fd175387-e769-5c90-ac25-54807051d2dc', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:00:00+00', '2026-03-01 00:21:00+00', NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '12bbf704-ff02-5206-8218-c7343a6c8d16', NULL, '7b72358c-0ece-55a5-9f63-9032e7b9f697', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:00:00+00', '2026-03-01 00:22:00+00', NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('89a15aef-affa-5394-a960-1d82daaa5b60', '286f1376-30e5-5434-9d59-6cb917272c41', NULL, 'ff175c16-273c-53bd-a72c-0bfe252385b9', 'Android', 'skipped', 'opted_out', 0, 0, NULL, '2026-03-01 12:01:01+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('89a15aef-affa-5394-a960-1d82daaa5b60', '01bc0506-bddf-5ef9-b3d0-7a28be0f4c28', NULL, '27365b04-e0b8-570e-83a4-0769a6291d18', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:01+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('89a15aef-affa-5394-a960-1d82daaa5b60', '0f63bc78-00e1-52fe-abc4-a95a06164c6c', NULL, 'fd175387-e769-5c90-ac25-54807051d2dc', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:01+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('89a15aef-affa-5394-a960-1d82daaa5b60', '12bbf704-ff02-5206-8218-c7343a6c8d16', NULL, '7b72358c-0ece-55a5-9f63-9032e7b9f697', 'Android', 'accepted', NULL, 1, 0, NULL, '2026-03-01 12:01:01+00', NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('89a15aef-affa-5394-a960-1d82daaa5b60', '144094dd-77bf-5b1e-a0fd-c5a4390bf65f', '019ca945-f848-7000-8000-00000000001e', 'd0fc7e34-c981-5723-b4bb-a61f2265555c', 'Android', 'pending', 'unavailable', 1, 0, '2026-03-01 12:01:01+00', NULL, NULL, NULL, NULL, NULL);



INSERT INTO public.device_deletions VALUES ('00000000-0000-0000-0000-000000000001', 'old', '2026-03-01 00:08:00+00', 'm08', 'bob', NULL);



INSERT INTO public.device_history VALUES (1, '00000000-0000-0000-0000-000000000001', 'gone', '7b72358c-0ece-55a5-9f63-9032e7b9f697', NULL, 'registered', NULL, '39a9c295a19a', 'm14', '2026-03-01 00:13:00+00');
INSERT INTO public.device_history VALUES (2, '00000000-0000-0000-0000-000000000001', 'old', 'd80c4aef-043e-5dc6-b50e-0ef1d954cb27', NULL, 'registered', NULL, 'a157c8e0ed47', 'm07', '2026-03-01 00:07:00+00');
INSERT INTO public.device_history VALUES (3, '00000000-0000-0000-0000-000000000001', 'old', 'd80c4aef-043e-5dc6-b50e-0ef1d954cb27', NULL, 'removed', 'deleted_by_app', 'a157c8e0ed47', 'm08', '2026-03-01 00:08:00+00');
INSERT INTO public.device_history VALUES (4, '00000000-0000-0000-0000-000000000001', 'phone', 'd2ba8366-d5c8-50c5-9d94-ecc2210ed54c', NULL, 'registered', NULL, '3048fb906f27', 'm01', '2026-03-01 00:01:00+00');
INSERT INTO public.device_history VALUES (5, '00000000-0000-0000-0000-000000000001', 'quiet', 'ff175c16-273c-53bd-a72c-0bfe252385b9', NULL, 'registered', NULL, 'f0228932ee55', 'm12', '2026-03-01 00:12:00+00');
INSERT INTO public.device_history VALUES (6, '00000000-0000-0000-0000-000000000001', 'tablet', 'd2ba8366-d5c8-50c5-9d94-ecc2210ed54c', NULL, 'registered', NULL, '075641514519', 'm04', '2026-03-01 00:04:00+00');
INSERT INTO public.device_history VALUES (7, '00000000-0000-0000-0000-000000000001', 'tablet', 'd80c4aef-043e-5dc6-b50e-0ef1d954cb27', 'd2ba8366-d5c8-50c5-9d94-ecc2210ed54c', 'moved', NULL, '075641514519', 'm05', '2026-03-01 00:05:00+00');
INSERT INTO public.device_history VALUES (8, '00000000-0000-0000-0000-000000000001', 'tablet', 'd80c4aef-043e-5dc6-b50e-0ef1d954cb27', NULL, 'token', NULL, '87d1d73d7f37', 'm05', '2026-03-01 00:05:00+00');
INSERT INTO public.device_history VALUES (9, '00000000-0000-0000-0000-000000000001', 'D-bad-1', '5cb6dce7-769f-5134-a516-ccd20ab11009', NULL, 'registered', NULL, 'c797d9bf526a', 'm18', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (10, '00000000-0000-0000-0000-000000000001', 'D-dead-1', '3a7b6c66-3f27-5077-8033-fd3cdd99b6c6', NULL, 'registered', NULL, '4b05db3a99d8', 'm17', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (11, '00000000-0000-0000-0000-000000000001', 'D-down-1', 'd0fc7e34-c981-5723-b4bb-a61f2265555c', NULL, 'registered', NULL, 'fb30cb9bed18', 'm19', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (12, '00000000-0000-0000-0000-000000000001', 'D-lost-1', 'fae681ea-1194-5c94-b68d-92ea3a5cdab9', NULL, 'registered', NULL, 'c5e422fe8104', 'm16', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (13, '00000000-0000-0000-0000-000000000001', 'D-ok-1', '11fead9c-a4b1-5626-8673-002b23535319', NULL, 'registered', NULL, 'e43010e4c07c', 'm20', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (14, '00000000-0000-0000-0000-000000000001', 'D-ok-2', '2b885675-81d8-5350-a3a5-a8cc6b4ca2a3', NULL, 'registered', NULL, 'f3b425cbc3f7', 'm21', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (15, '00000000-0000-0000-0000-000000000001', 'D-ok-3', 'fd175387-e769-5c90-ac25-54807051d2dc', NULL, 'registered', NULL, 'b826cbf7b117', 'm22', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (16, '00000000-0000-0000-0000-000000000001', 'D-ok-4', '430cba78-021a-56b9-bc5f-d68a16e14e6a', NULL, 'registered', NULL, '24d10a4ab28d', 'm23', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (17, '00000000-0000-0000-0000-000000000001', 'D-ok-5', '743cb3fe-e6f1-5025-b727-59d9666a908e', NULL, 'registered', NULL, '7841cb8dc92f', 'm24', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (18, '00000000-0000-0000-0000-000000000001', 'D-ok-6', 'ce1b2e10-3e16-5af8-8640-8478eb6ba13a', NULL, 'registered', NULL, '34f84c205a9f', 'm25', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (19, '00000000-0000-0000-0000-000000000001', 'D-ok-7', '27365b04-e0b8-570e-83a4-0769a6291d18', NULL, 'registered', NULL, '8df833cdd564', 'm26', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (20, '00000000-0000-0000-0000-000000000001', 'D-ok-8', '4ef42513-ca0d-5ae2-a8ae-4f2ff7c0a2ed', NULL, 'registered', NULL, '84f5d8260880', 'm27', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (21, '00000000-0000-0000-0000-000000000001', 'D-ok-9', 'd5b9e15e-2cd0-5e41-b4c6-ea0e60d53238', NULL, 'registered', NULL, 'c91b36d1da39', 'm28', '2026-03-01 00:00:00+00');
INSERT INTO public.device_history VALUES (22, '00000000-0000-0000-0000-000000000001', 'D-dead-1', '3a7b6c66-3f27-5077-8033-fd3cdd99b6c6', NULL, 'removed', 'unregistered', '4b05db3a99d8', NULL, '2026-03-01 12:01:00+00');
INSERT INTO public.device_history VALUES (23, '00000000-0000-0000-0000-000000000001', 'shared-tablet', '22a013a7-5d66-53c3-bd6b-50948b1298fa', NULL, 'registered', NULL, '494390768c4b', 'hands04', '2026-03-01 00:33:00+00');
INSERT INTO public.device_history VALUES (24, '00000000-0000-0000-0000-000000000001', 'shared-tablet', '5eadebc1-601f-5b70-b2ea-b1ba4808c722', '22a013a7-5d66-53c3-bd6b-50948b1298fa', 'moved', NULL, '494390768c4b', 'hands05', '2026-03-01 00:34:00+00');
INSERT INTO public.device_history VALUES (25, '00000000-0000-0000-0000-000000000001', 'shared-tablet', '6b4671de-8454-5650-90ac-f8925ea74ec9', '5eadebc1-601f-5b70-b2ea-b1ba4808c722', 'moved', NULL, '494390768c4b', 'hands07', '2026-03-01 00:36:00+00');
INSERT INTO public.device_history VALUES (26, '00000000-0000-0000-0000-000000000001', 'device-as-user', '7cb962c1-73bf-5b87-acdc-20ed58965613', NULL, 'registered', NULL, 'bd79042bc3d6', 'hands19', '2026-03-01 00:45:00+00');



INSERT INTO public.devices VALUES ('12bbf704-ff02-5206-8218-c7343a6c8d16', '00000000-0000-0000-0000-000000000001', 'gone', '7b72358c-0ece-55a5-9f63-9032e7b9f697', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-gone', 'fcm', '39a9c295a19a882d69500db4d3f1bfe22440bbcd83becf9f2383bdc9c20702b5', '39a9c295a19a882d69500db4d3f1bfe22440bbcd83becf9f2383bdc9c20702b5', 1, 'm14', '2026-03-01 00:13:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:13:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('f98440c0-c71b-5a6f-a672-77713a7d1803', '00000000-0000-0000-0000-000000000001', 'old', 'd80c4aef-043e-5dc6-b50e-0ef1d954cb27', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-old', 'fcm', 'a157c8e0ed479a92c2a97f6870cba2c1336e57301b2fcdcf3ebea88ea503c5f5', 'a157c8e0ed479a92c2a97f6870cba2c1336e57301b2fcdcf3ebea88ea503c5f5', 1, 'm07', '2026-03-01 00:07:00+00', 'removed', 'deleted_by_app', NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:07:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('4a83b523-3b29-56a0-83d2-2344173a6a87', '00000000-0000-0000-0000-000000000001', 'phone', 'd2ba8366-d5c8-50c5-9d94-ecc2210ed54c', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-phone-1', 'fcm', '3048fb906f278e3de979c9a47b9477283cc40c8ec50ee8caeac2f3efc71b471e', '3048fb906f278e3de979c9a47b9477283cc40c8ec50ee8caeac2f3efc71b471e', 1, 'm01', '2026-03-01 00:01:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:01:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('286f1376-30e5-5434-9d59-6cb917272c41', '00000000-0000-0000-0000-000000000001', 'quiet', 'ff175c16-273c-53bd-a72c-0bfe252385b9', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-quiet', 'fcm', 'f0228932ee55f92579afe0d1418ac6161d340c2d13dfe83ed808239c038a95a3', 'f0228932ee55f92579afe0d1418ac6161d340c2d13dfe83ed808239c038a95a3', 0, 'm12', '2026-03-01 00:12:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:12:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('95a85238-46b4-5530-b618-d11bf7ff16a6', '00000000-0000-0000-0000-000000000001', 'tablet', 'd80c4aef-043e-5dc6-b50e-0ef1d954cb27', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-tablet-2', 'fcm', '87d1d73d7f37742d3e5ad075fd1a4c02ee528801fa5623eaf655e6539e7f44c0', '87d1d73d7f37742d3e5ad075fd1a4c02ee528801fa5623eaf655e6539e7f44c0', 1, 'm05', '2026-03-01 00:05:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:05:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('e1430916-a450-5b3e-8b15-6c7f60263002', '00000000-0000-0000-0000-000000000001', 'D-bad-1', '5cb6dce7-769f-5134-a516-ccd20ab11009', '00000000-0000-0000-0000-000000000002', 'Android', 'bad-1', 'fcm', 'c797d9bf526a8012d39b32c1f6761bff855f1a3840dccc32456434d68820ada0', 'c797d9bf526a8012d39b32c1f6761bff855f1a3840dccc32456434d68820ada0', 1, 'm18', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('144094dd-77bf-5b1e-a0fd-c5a4390bf65f', '00000000-0000-0000-0000-000000000001', 'D-down-1', 'd0fc7e34-c981-5723-b4bb-a61f2265555c', '00000000-0000-0000-0000-000000000002', 'Android', 'down-1', 'fcm', 'fb30cb9bed1818aeba26ba63235f73f322161becc384429f49fb11b3aab419ab', 'fb30cb9bed1818aeba26ba63235f73f322161becc384429f49fb11b3aab419ab', 1, 'm19', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('228ab479-fbf7-58fc-b30e-e9e5e1142d19', '00000000-0000-0000-0000-000000000001', 'D-lost-1', 'fae681ea-1194-5c94-b68d-92ea3a5cdab9', '00000000-0000-0000-0000-000000000002', 'Android', 'lost-1', 'fcm', 'c5e422fe8104b1352cc20343246bd3afb25c717042b41f6de64316f86130329d', 'c5e422fe8104b1352cc20343246bd3afb25c717042b41f6de64316f86130329d', 1, 'm16', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('e817b1ae-63c7-58ef-a695-b8a9efb4a129', '00000000-0000-0000-0000-000000000001', 'D-ok-1', '11fead9c-a4b1-5626-8673-002b23535319', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-1', 'fcm', 'e43010e4c07c7cee53685f8c37ea8ef0ef01d9f8035dd79cd88955ddf814981a', 'e43010e4c07c7cee53685f8c37ea8ef0ef01d9f8035dd79cd88955ddf814981a', 1, 'm20', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('c37067ee-6cf4-5289-91a4-69104ec3eac8', '00000000-0000-0000-0000-000000000001', 'D-ok-2', '2b885675-81d8-5350-a3a5-a8cc6b4ca2a3', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-2', 'fcm', 'f3b425cbc3f75d456644f010bf175f68cb71734b88066e9887892052deaf967e', 'f3b425cbc3f75d456644f010bf175f68cb71734b88066e9887892052deaf967e', 1, 'm21', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('0f63bc78-00e1-52fe-abc4-a95a06164c6c', '00000000-0000-0000-0000-000000000001', 'D-ok-3', 'fd175387-e769-5c90-ac25-54807051d2dc', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-3', 'fcm', 'b826cbf7b117875cb05e40a47b2ede3b161de578cb820ee1e0bf61aa928bb9ea', 'b826cbf7b117875cb05e40a47b2ede3b161de578cb820ee1e0bf61aa928bb9ea', 1, 'm22', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('d02ace7a-2501-51f3-a5da-1ea47105218b', '00000000-0000-0000-0000-000000000001', 'D-ok-4', '430cba78-021a-56b9-bc5f-d68a16e14e6a', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-4', 'fcm', '24d10a4ab28dbd0691ec506ed5b1d8d3374e4bb801f32210c12d0c5cad132a69', '24d10a4ab28dbd0691ec506ed5b1d8d3374e4bb801f32210c12d0c5cad132a69', 1, 'm23', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('bb66d1cc-c12b-59ab-90b2-3f93c1117b76', '00000000-0000-0000-0000-000000000001', 'D-ok-5', '743cb3fe-e6f1-5025-b727-59d9666a908e', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-5', 'fcm', '7841cb8dc92f7bf9c5a068fa7a74047e5668e1c1b707844335775d2440436d18', '7841cb8dc92f7bf9c5a068fa7a74047e5668e1c1b707844335775d2440436d18', 1, 'm24', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('ff1853da-d7a3-525c-9405-4ed823d077b4', '00000000-0000-0000-0000-000000000001', 'D-ok-6', 'ce1b2e10-3e16-5af8-8640-8478eb6ba13a', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-6', 'fcm', '34f84c205a9f00235afec8102a23985fdf25ba75e55d7d6dab7be280f525a262', '34f84c205a9f00235afec8102a23985fdf25ba75e55d7d6dab7be280f525a262', 1, 'm25', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('01bc0506-bddf-5ef9-b3d0-7a28be0f4c28', '00000000-0000-0000-0000-000000000001', 'D-ok-7', '27365b04-e0b8-570e-83a4-0769a6291d18', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-7', 'fcm', '8df833cdd564d9be3c9909b70cdeebe1933e85a3b3a7ffeabef24617bca64f09', '8df833cdd564d9be3c9909b70cdeebe1933e85a3b3a7ffeabef24617bca64f09', 1, 'm26', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('bb99504b-ae04-5e98-b3e0-41339d7a82b1', '00000000-0000-0000-0000-000000000001', 'D-ok-8', '4ef42513-ca0d-5ae2-a8ae-4f2ff7c0a2ed', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-8', 'fcm', '84f5d826088062855c0176db3b072c18f56a6262bd7e517c4f67ce134116b66a', '84f5d826088062855c0176db3b072c18f56a6262bd7e517c4f67ce134116b66a', 1, 'm27', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('2b6ac7fb-0d05-5616-a324-9844a7157a99', '00000000-0000-0000-0000-000000000001', 'D-ok-9', 'd5b9e15e-2cd0-5e41-b4c6-ea0e60d53238', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-9', 'fcm', 'c91b36d1da39bbd89ae10394c2cf8fc4ba417755b96d8b9253718038752d8ae2', 'c91b36d1da39bbd89ae10394c2cf8fc4ba417755b96d8b9253718038752d8ae2', 1, 'm28', '2026-03-01 00:00:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('3c2b5eea-6a4c-5f5d-90d9-f6a7b3e41f05', '00000000-0000-0000-0000-000000000001', 'D-dead-1', '3a7b6c66-3f27-5077-8033-fd3cdd99b6c6', '00000000-0000-0000-0000-000000000002', 'Android', NULL, 'fcm', '4b05db3a99d8656aec7d668b22088687cdbcf24646e14af11c92b679c63edb3b', '4b05db3a99d8656aec7d668b22088687cdbcf24646e14af11c92b679c63edb3b', 1, 'm17', '2026-03-01 00:00:00+00', 'removed', 'unregistered', '4b05db3a99d8656aec7d668b22088687cdbcf24646e14af11c92b679c63edb3b', '2026-03-01 12:01:00+00', 'unregistered', NULL, NULL, NULL, '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('13c8f048-c0fd-5197-bbf3-0bf85e091d97', '00000000-0000-0000-0000-000000000001', 'shared-tablet', '6b4671de-8454-5650-90ac-f8925ea74ec9', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-shared', 'fcm', '494390768c4bdee69d94384b3fb952156f9f92e73de50cd6f50f4fd150456202', '494390768c4bdee69d94384b3fb952156f9f92e73de50cd6f50f4fd150456202', 1, 'hands07', '2026-03-01 00:36:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:36:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.devices VALUES ('112ecc85-2f9c-564e-bb58-61377d946ff7', '00000000-0000-0000-0000-000000000001', 'device-as-user', '7cb962c1-73bf-5b87-acdc-20ed58965613', '00000000-0000-0000-0000-000000000002', 'Android', 'ok-as-user', 'fcm', 'bd79042bc3d6994b1696c74bbd3d29999f7315589c46a2e20829e32c257019bb', 'bd79042bc3d6994b1696c74bbd3d29999f7315589c46a2e20829e32c257019bb', 0, 'hands19', '2026-03-01 00:45:00+00', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 00:45:00+00', NULL, NULL, NULL, NULL);



INSERT INTO public.erasures VALUES ('019ca945-f848-7000-8000-000000000020', '00000000-0000-0000-0000-000000000001', '{"ids": ["erased", "gone"], "met": [], "users": ["erased"], "words": ["erased", "erased@shop.example", "gone", "ok-gone"], "shared": [], "devices": ["gone"], "subject": "erased", "customer_ids": ["3d3977b2-cb7e-5217-8d6e-c90a2707bf81", "7b72358c-0ece-55a5-9f63-9032e7b9f697"]}', 'test', '2026-03-01 12:01:01+00', '2026-03-01 12:01:01+00', 0, 0, 0, 1);






INSERT INTO public.events VALUES (1, '00000000-0000-0000-0000-000000000001', 'm01', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'ada', NULL, 'phone', '2026-03-01 00:01:00+00', '2026-03-01 00:01:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'ada');
INSERT INTO public.events VALUES (2, '00000000-0000-0000-0000-000000000001', 'm02', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', NULL, 'browser', NULL, '2026-03-01 00:02:00+00', '2026-03-01 00:02:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'browser');
INSERT INTO public.events VALUES (3, '00000000-0000-0000-0000-000000000001', 'm03', '00000000-0000-0000-0000-000000000002', 'identify', NULL, 'ada', 'browser', NULL, '2026-03-01 00:03:00+00', '2026-03-01 00:03:00+00', '{"type":"identify","traits":{"email":"ada@shop.example","n":1.5},"context":{}}', NULL, NULL, 'ada');
INSERT INTO public.events VALUES (4, '00000000-0000-0000-0000-000000000001', 'm04', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'ada', NULL, 'tablet', '2026-03-01 00:04:00+00', '2026-03-01 00:04:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'ada');
INSERT INTO public.events VALUES (5, '00000000-0000-0000-0000-000000000001', 'm05', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'bob', NULL, 'tablet', '2026-03-01 00:05:00+00', '2026-03-01 00:05:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'bob');
INSERT INTO public.events VALUES (6, '00000000-0000-0000-0000-000000000001', 'm06', '00000000-0000-0000-0000-000000000002', 'identify', NULL, 'bob', NULL, NULL, '2026-03-01 00:06:00+00', '2026-03-01 00:06:00+00', '{"type":"identify","traits":{"plan":"pro","tags":["a","é"]},"context":{}}', NULL, NULL, 'bob');
INSERT INTO public.events VALUES (7, '00000000-0000-0000-0000-000000000001', 'm07', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'bob', NULL, 'old', '2026-03-01 00:07:00+00', '2026-03-01 00:07:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'bob');
INSERT INTO public.events VALUES (8, '00000000-0000-0000-0000-000000000001', 'm08', '00000000-0000-0000-0000-000000000002', 'track', 'Device Deleted', 'bob', NULL, NULL, '2026-03-01 00:08:00+00', '2026-03-01 00:08:00+00', '{"type":"track","traits":{},"context":{"device":{"id":"old","type":"android","token":null,"fid":null}}}', NULL, NULL, 'bob');
INSERT INTO public.events VALUES (9, '00000000-0000-0000-0000-000000000001', 'm09', '00000000-0000-0000-0000-000000000002', 'identify', NULL, 'bob-2', NULL, NULL, '2026-03-01 00:09:00+00', '2026-03-01 00:09:00+00', '{"type":"identify","traits":{"plan":"free","city":"Graz"},"context":{}}', NULL, NULL, 'bob-2');
INSERT INTO public.events VALUES (10, '00000000-0000-0000-0000-000000000001', 'm10', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', 'bob-2', NULL, NULL, '2026-03-01 00:10:00+00', '2026-03-01 00:10:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'bob-2');
INSERT INTO public.events VALUES (11, '00000000-0000-0000-0000-000000000001', 'm11', '00000000-0000-0000-0000-000000000002', 'alias', NULL, 'carl', NULL, NULL, '2026-03-01 00:11:00+00', '2026-03-01 00:11:00+00', '{"type":"alias","traits":{},"context":{}}', NULL, NULL, 'carl');
INSERT INTO public.events VALUES (12, '00000000-0000-0000-0000-000000000001', 'm12', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'quiet', NULL, 'quiet', '2026-03-01 00:12:00+00', '2026-03-01 00:12:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'quiet');
INSERT INTO public.events VALUES (13, '00000000-0000-0000-0000-000000000001', 'm13', '00000000-0000-0000-0000-000000000002', 'identify', NULL, 'quiet', NULL, NULL, '2026-03-01 00:12:00+00', '2026-03-01 00:12:00+00', '{"type":"identify","traits":{"email":"quiet@shop.example"},"context":{}}', NULL, NULL, 'quiet');
INSERT INTO public.events VALUES (14, '00000000-0000-0000-0000-000000000001', 'm14', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'erased', NULL, 'gone', '2026-03-01 00:13:00+00', '2026-03-01 00:13:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'erased');
INSERT INTO public.events VALUES (15, '00000000-0000-0000-0000-000000000001', 'm15', '00000000-0000-0000-0000-000000000002', 'identify', NULL, 'erased', NULL, NULL, '2026-03-01 00:14:00+00', '2026-03-01 00:14:00+00', '{"type":"identify","traits":{"email":"erased@shop.example"},"context":{}}', NULL, NULL, 'erased');
INSERT INTO public.events VALUES (16, '00000000-0000-0000-0000-000000000001', 'm16', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-lost-1', NULL, 'D-lost-1', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-lost-1');
INSERT INTO public.events VALUES (17, '00000000-0000-0000-0000-000000000001', 'm17', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-dead-1', NULL, 'D-dead-1', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-dead-1');
INSERT INTO public.events VALUES (18, '00000000-0000-0000-0000-000000000001', 'm18', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-bad-1', NULL, 'D-bad-1', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-bad-1');
INSERT INTO public.events VALUES (19, '00000000-0000-0000-0000-000000000001', 'm19', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-down-1', NULL, 'D-down-1', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-down-1');
INSERT INTO public.events VALUES (20, '00000000-0000-0000-0000-000000000001', 'm20', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-ok-1', NULL, 'D-ok-1', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-ok-1');
INSERT INTO public.events VALUES (21, '00000000-0000-0000-0000-000000000001', 'm21', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-ok-2', NULL, 'D-ok-2', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-ok-2');
INSERT INTO public.events VALUES (22, '00000000-0000-0000-0000-000000000001', 'm22', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-ok-3', NULL, 'D-ok-3', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-ok-3');
INSERT INTO public.events VALUES (23, '00000000-0000-0000-0000-000000000001', 'm23', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-ok-4', NULL, 'D-ok-4', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-ok-4');
INSERT INTO public.events VALUES (24, '00000000-0000-0000-0000-000000000001', 'm24', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-ok-5', NULL, 'D-ok-5', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-ok-5');
INSERT INTO public.events VALUES (25, '00000000-0000-0000-0000-000000000001', 'm25', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-ok-6', NULL, 'D-ok-6', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-ok-6');
INSERT INTO public.events VALUES (26, '00000000-0000-0000-0000-000000000001', 'm26', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-ok-7', NULL, 'D-ok-7', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-ok-7');
INSERT INTO public.events VALUES (27, '00000000-0000-0000-0000-000000000001', 'm27', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-ok-8', NULL, 'D-ok-8', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-ok-8');
INSERT INTO public.events VALUES (28, '00000000-0000-0000-0000-000000000001', 'm28', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'user-ok-9', NULL, 'D-ok-9', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'user-ok-9');
INSERT INTO public.events VALUES (29, '00000000-0000-0000-0000-000000000001', 'm29', '00000000-0000-0000-0000-000000000002', 'track', 'Push Notification Received', 'ada', NULL, NULL, '2026-03-01 00:20:00+00', '2026-03-01 00:20:00+00', '{"type":"track","traits":{},"context":{"clarion_push":"cad3dde5bfac5d23ad4c744ac78805f9.01bc0506bddf5ef9b3d07a28be0f4c28"}}', NULL, NULL, 'ada');
INSERT INTO public.events VALUES (30, '00000000-0000-0000-0000-000000000001', 'm30', '00000000-0000-0000-0000-000000000002', 'track', 'Push Notification Received', 'ada', NULL, NULL, '2026-03-01 00:21:00+00', '2026-03-01 00:21:00+00', '{"type":"track","traits":{},"context":{"clarion_push":"cad3dde5bfac5d23ad4c744ac78805f9.0f63bc7800e152feabc4a95a06164c6c"}}', NULL, NULL, 'ada');
INSERT INTO public.events VALUES (31, '00000000-0000-0000-0000-000000000001', 'm31', '00000000-0000-0000-0000-000000000002', 'track', 'Push Notification Received', 'ada', NULL, NULL, '2026-03-01 00:22:00+00', '2026-03-01 00:22:00+00', '{"type":"track","traits":{},"context":{"clarion_push":"cad3dde5bfac5d23ad4c744ac78805f9.12bbf704ff0252068218c7343a6c8d16"}}', NULL, NULL, 'ada');
INSERT INTO public.events VALUES (32, '00000000-0000-0000-0000-000000000001', 'hands01', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', NULL, 'kiosk', NULL, '2026-03-01 00:30:00+00', '2026-03-01 00:30:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'kiosk');
INSERT INTO public.events VALUES (33, '00000000-0000-0000-0000-000000000001', 'hands02', '00000000-0000-0000-0000-000000000002', 'identify', NULL, 'dora', 'kiosk', NULL, '2026-03-01 00:31:00+00', '2026-03-01 00:31:00+00', '{"type":"identify","traits":{"email":"dora@shop.example"},"context":{}}', NULL, NULL, 'dora');
INSERT INTO public.events VALUES (34, '00000000-0000-0000-0000-000000000001', 'hands03', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', NULL, 'kiosk', NULL, '2026-03-01 00:32:00+00', '2026-03-01 00:32:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'kiosk');
INSERT INTO public.events VALUES (35, '00000000-0000-0000-0000-000000000001', 'hands04', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'dora', NULL, 'shared-tablet', '2026-03-01 00:33:00+00', '2026-03-01 00:33:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'dora');
INSERT INTO public.events VALUES (36, '00000000-0000-0000-0000-000000000001', 'hands05', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'shared-tablet', NULL, 'shared-tablet', '2026-03-01 00:34:00+00', '2026-03-01 00:34:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'shared-tablet');
INSERT INTO public.events VALUES (37, '00000000-0000-0000-0000-000000000001', 'hands06', '00000000-0000-0000-0000-000000000002', 'track', 'Looked Around', 'shared-tablet', NULL, NULL, '2026-03-01 00:35:00+00', '2026-03-01 00:35:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'shared-tablet');
INSERT INTO public.events VALUES (38, '00000000-0000-0000-0000-000000000001', 'hands07', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'emil', NULL, 'shared-tablet', '2026-03-01 00:36:00+00', '2026-03-01 00:36:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'emil');
INSERT INTO public.events VALUES (39, '00000000-0000-0000-0000-000000000001', 'hands08', '00000000-0000-0000-0000-000000000002', 'identify', NULL, 'emil', NULL, NULL, '2026-03-01 00:36:00+00', '2026-03-01 00:36:00+00', '{"type":"identify","traits":{"plan":"basic"},"context":{"device":{"id":"shared-tablet","type":"android","token":null,"fid":null}}}', NULL, NULL, 'emil');
INSERT INTO public.events VALUES (40, '00000000-0000-0000-0000-000000000001', 'hands09', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', NULL, NULL, NULL, '2026-03-01 00:37:00+00', '2026-03-01 00:37:00+00', '{"type":"track","traits":{},"context":{"device":{"id":"shared-tablet","type":"android","token":null,"fid":null}}}', NULL, NULL, 'shared-tablet');
INSERT INTO public.events VALUES (41, '00000000-0000-0000-0000-000000000001', 'hands10', '00000000-0000-0000-0000-000000000002', 'identify', NULL, 'device-as-user', NULL, NULL, '2026-03-01 00:38:00+00', '2026-03-01 00:38:00+00', '{"type":"identify","traits":{"theme":"dark"},"context":{}}', NULL, NULL, 'device-as-user');
INSERT INTO public.events VALUES (42, '00000000-0000-0000-0000-000000000001', 'hands11', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', 'device-as-user', NULL, NULL, '2026-03-01 00:39:00+00', '2026-03-01 00:39:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'device-as-user');
INSERT INTO public.events VALUES (43, '00000000-0000-0000-0000-000000000001', 'hands12', '00000000-0000-0000-0000-000000000002', 'alias', NULL, 'bob-2', NULL, NULL, '2026-03-01 00:39:00+00', '2026-03-01 00:39:00+00', '{"type":"alias","traits":{},"context":{}}', NULL, NULL, 'bob-2');
INSERT INTO public.events VALUES (44, '00000000-0000-0000-0000-000000000001', 'hands13', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', NULL, 'kiosk-before', NULL, '2026-03-01 00:20:00+00', '2026-03-01 00:20:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'kiosk-before');
INSERT INTO public.events VALUES (45, '00000000-0000-0000-0000-000000000001', 'hands14', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', NULL, 'fast-clock', NULL, '2026-03-01 00:40:00+00', '2026-03-01 00:40:00+00', '{"type":"track","traits":{},"context":{}}', '2026-03-01 01:00:00+00', NULL, 'fast-clock');
INSERT INTO public.events VALUES (46, '00000000-0000-0000-0000-000000000001', 'hands15', '00000000-0000-0000-0000-000000000002', 'identify', NULL, 'fay', 'fast-clock', NULL, '2026-03-01 00:41:00+00', '2026-03-01 00:41:00+00', '{"type":"identify","traits":{"city":"Linz"},"context":{}}', '2026-03-01 01:02:00+00', NULL, 'fay');
INSERT INTO public.events VALUES (47, '00000000-0000-0000-0000-000000000001', 'hands16', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', NULL, 'fast-clock', NULL, '2026-03-01 00:42:00+00', '2026-03-01 00:42:00+00', '{"type":"track","traits":{},"context":{}}', '2026-03-01 01:04:00+00', NULL, 'fast-clock');
INSERT INTO public.events VALUES (48, '00000000-0000-0000-0000-000000000001', 'hands17', '00000000-0000-0000-0000-000000000002', 'identify', NULL, 'gus', 'fast-clock', NULL, '2026-03-01 00:43:00+00', '2026-03-01 00:43:00+00', '{"type":"identify","traits":{"city":"Wels"},"context":{}}', '2026-03-01 01:06:00+00', NULL, 'gus');
INSERT INTO public.events VALUES (49, '00000000-0000-0000-0000-000000000001', 'hands18', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', NULL, 'fast-clock', NULL, '2026-03-01 00:44:00+00', '2026-03-01 00:44:00+00', '{"type":"track","traits":{},"context":{}}', '2026-03-01 01:08:00+00', NULL, 'fast-clock');
INSERT INTO public.events VALUES (50, '00000000-0000-0000-0000-000000000001', 'hands19', '00000000-0000-0000-0000-000000000002', 'track', 'Register Push', 'device-as-user', NULL, 'device-as-user', '2026-03-01 00:45:00+00', '2026-03-01 00:45:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'device-as-user');
INSERT INTO public.events VALUES (51, '00000000-0000-0000-0000-000000000001', 'hands20', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', 'device-as-user', NULL, NULL, '2026-03-01 00:46:00+00', '2026-03-01 00:46:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'device-as-user');
INSERT INTO public.events VALUES (52, '00000000-0000-0000-0000-000000000001', 'hands21', '00000000-0000-0000-0000-000000000002', 'track', 'Product Viewed', NULL, 'kiosk', NULL, '2026-03-01 00:28:00+00', '2026-03-01 00:28:00+00', '{"type":"track","traits":{},"context":{}}', NULL, NULL, 'kiosk');
INSERT INTO public.events VALUES (53, '00000000-0000-0000-0000-000000000001', 'receipt01', '00000000-0000-0000-0000-000000000002', 'track', 'Push Notification Tapped', 'ada', NULL, NULL, '2026-03-01 00:50:00+00', '2026-03-01 00:50:00+00', '{"type":"track","traits":{},"context":{"clarion_push":"cad3dde5bfac5d23ad4c744ac78805f9.228ab479fbf758fcb30ee9e5e1142d19"}}', NULL, NULL, 'ada');



INSERT INTO public.firebase_apps VALUES ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000001', 'demo', 'sender@demo.example', '1', '\x674141414141427244686f34324c716a7a546e4a414868465a4d62324d53434e3450366e424f4d6a30336556454c6c6a694c6b504e47715f623263566e68552d434f706b6f7536486b4d756e7747712d7443727174414c5a6d36616a6332455146577a4b6e6442527a6b5741385f6643415f76796644633d', NULL, 600000, false, NULL, NULL, '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00', NULL, NULL);



INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'ada', true, false, true, '[]', NULL, false, true, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'bob', true, false, true, '[]', NULL, false, true, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'bob-2', true, false, false, '[]', NULL, false, true, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'browser', false, false, false, '[[[1772323380000000, "ada"]], "ada", true, "ada", false]', NULL, false, false, false, true, '["ada",1772323380000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'carl', true, false, false, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'carl-before', false, false, false, '[[[1772323860000000, "carl"]], null, false, "carl", false]', NULL, false, false, false, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'erased', true, false, true, '[]', NULL, false, true, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'gone', false, false, false, '[[[1772323980000000, "erased"]], "erased", true, "erased", false]', '[1772323200000000,[]]', true, false, false, false, '["erased",1772323980000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'old', false, false, false, '[[[1772323620000000, "bob"]], "bob", true, "bob", false, 1772323680000000]', '[1772323200000000,[]]', true, false, false, false, '["bob",1772323620000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'phone', false, false, false, '[[[1772323260000000, "ada"]], "ada", true, "ada", false]', '[1772323200000000,[]]', true, false, false, false, '["ada",1772323260000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'quiet', true, true, true, '[[[1772323920000000, "quiet"]], "quiet", true, "quiet", false]', '[1772323200000000,[]]', false, true, true, false, '["quiet",1772323920000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'tablet', false, false, false, '[[[1772323440000000, "ada"], [1772323500000000, "bob"]], "bob", true, "bob", false]', '[1772323200000000,[]]', true, false, false, false, '["bob",1772323500000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-bad-1', false, false, false, '[[[1772323200000000, "user-bad-1"]], "user-bad-1", true, "user-bad-1", false]', '[1772323200000000,[]]', true, false, false, false, '["user-bad-1",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-dead-1', false, false, false, '[[[1772323200000000, "user-dead-1"]], "user-dead-1", true, "user-dead-1", false]', '[1772323200000000,[]]', true, false, false, false, '["user-dead-1",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-down-1', false, false, false, '[[[1772323200000000, "user-down-1"]], "user-down-1", true, "user-down-1", false]', '[1772323200000000,[]]', true, false, false, false, '["user-down-1",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-lost-1', false, false, false, '[[[1772323200000000, "user-lost-1"]], "user-lost-1", true, "user-lost-1", false]', '[1772323200000000,[]]', true, false, false, false, '["user-lost-1",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-1', false, false, false, '[[[1772323200000000, "user-ok-1"]], "user-ok-1", true, "user-ok-1", false]', '[1772323200000000,[]]', true, false, false, false, '["user-ok-1",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-2', false, false, false, '[[[1772323200000000, "user-ok-2"]], "user-ok-2", true, "user-ok-2", false]', '[1772323200000000,[]]', true, false, false, false, '["user-ok-2",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-3', false, false, false, '[[[1772323200000000, "user-ok-3"]], "user-ok-3", true, "user-ok-3", false]', '[1772323200000000,[]]', true, false, false, false, '["user-ok-3",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-4', false, false, false, '[[[1772323200000000, "user-ok-4"]], "user-ok-4", true, "user-ok-4", false]', '[1772323200000000,[]]', true, false, false, false, '["user-ok-4",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-5', false, false, false, '[[[1772323200000000, "user-ok-5"]], "user-ok-5", true, "user-ok-5", false]', '[1772323200000000,[]]', true, false, false, false, '["user-ok-5",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-6', false, false, false, '[[[1772323200000000, "user-ok-6"]], "user-ok-6", true, "user-ok-6", false]', '[1772323200000000,[]]', true, false, false, false, '["user-ok-6",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-7', false, false, false, '[[[1772323200000000, "user-ok-7"]], "user-ok-7", true, "user-ok-7", false]', '[1772323200000000,[]]', true, false, false, false, '["user-ok-7",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-8', false, false, false, '[[[1772323200000000, "user-ok-8"]], "user-ok-8", true, "user-ok-8", false]', '[1772323200000000,[]]', true, false, false, false, '["user-ok-8",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'D-ok-9', false, false, false, '[[[1772323200000000, "user-ok-9"]], "user-ok-9", true, "user-ok-9", false]', '[1772323200000000,[]]', true, false, false, false, '["user-ok-9",1772323200000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-bad-1', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-dead-1', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-down-1', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-lost-1', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-1', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-2', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-3', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-4', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-5', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-6', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-7', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-8', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-9', true, false, true, '[]', NULL, false, false, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'dora', true, false, true, '[]', NULL, false, true, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'emil', true, false, true, '[]', NULL, false, true, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'kiosk', false, false, false, '[[[1772325060000000, "dora"]], "dora", true, "dora", false]', NULL, false, false, false, true, '["dora",1772325060000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'kiosk-before', false, false, false, '[[[1772325540000000, "bob-2"]], null, false, "bob-2", false]', NULL, false, false, false, true, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'shared-tablet', true, true, false, '[[[1772325180000000, "dora"], [1772325240000000, null], [1772325360000000, "emil"]], "emil", true, "emil", false]', '[1772323200000000,[]]', true, false, true, true, '["emil",1772325360000000]');
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'gus', true, false, false, '[]', NULL, false, true, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'fay', true, false, false, '[]', NULL, false, true, true, false, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'fast-clock', false, false, false, '[[[1772325540000000, "fay"], [1772325780000000, "gus"]], "gus", true, "gus", false, null, [[2, 1380000000]]]', NULL, false, false, false, true, NULL);
INSERT INTO public.identifiers VALUES ('00000000-0000-0000-0000-000000000001', 'device-as-user', true, true, false, '[[], null, true, null, false]', '[1772323200000000,[]]', false, true, true, false, '["device-as-user",1772325900000000]');



INSERT INTO public.identity_secrets VALUES ('019ca945-0a00-7000-8000-000000000001', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', '\x674141414141427244686f34385042526c4e71476e356f56436c3835775f47736c4c4965585357527533334549456d6377505f7678784b6e76333473333453696667674a76764d314d726d68484d47596b726132464877546579564e4f306f5950654c7037506a787061306a2d62346238424b6c6645576163325a48686c3548715a39664847326d5975327a', '2026-03-01 12:00:00+00', NULL, NULL);









INSERT INTO public.job_keys VALUES ('chunk:019ca9450a007000800000000000000a:0', '2026-03-01 12:01:00+00');
INSERT INTO public.job_keys VALUES ('chunk:019ca9450a007000800000000000000b:0', '2026-03-01 12:01:00+00');
INSERT INTO public.job_keys VALUES ('chunk:019ca9450a007000800000000000000c:0', '2026-03-01 12:01:00+00');
INSERT INTO public.job_keys VALUES ('chunk:019ca9450a007000800000000000000d:0', '2026-03-01 12:01:00+00');
INSERT INTO public.job_keys VALUES ('chunk:019ca9450a007000800000000000000e:0', '2026-03-01 12:01:00+00');
INSERT INTO public.job_keys VALUES ('chunk:019ca9450a007000800000000000000f:0', '2026-03-01 12:01:00+00');
INSERT INTO public.job_keys VALUES ('chunk:019ca9450a0070008000000000000010:0', '2026-03-01 12:01:00+00');
INSERT INTO public.job_keys VALUES ('chunk:019ca9450a0070008000000000000011:0', '2026-03-01 12:01:00+00');



INSERT INTO public.jobs VALUES (25, 'chunk', '\x019ca945f84870008000000000000018', NULL, '2026-03-01 12:01:01+00', 0, '2026-03-01 12:01:01+00', NULL);
INSERT INTO public.jobs VALUES (26, 'chunk', '\x019ca945f84870008000000000000019', NULL, '2026-03-01 12:01:01+00', 0, '2026-03-01 12:01:01+00', NULL);
INSERT INTO public.jobs VALUES (27, 'chunk', '\x019ca945f8487000800000000000001a', NULL, '2026-03-01 12:01:01+00', 0, '2026-03-01 12:01:01+00', NULL);
INSERT INTO public.jobs VALUES (28, 'chunk', '\x019ca945f8487000800000000000001b', NULL, '2026-03-01 12:01:01+00', 0, '2026-03-01 12:01:01+00', NULL);
INSERT INTO public.jobs VALUES (29, 'chunk', '\x019ca945f8487000800000000000001c', NULL, '2026-03-01 12:01:01+00', 0, '2026-03-01 12:01:01+00', NULL);
INSERT INTO public.jobs VALUES (30, 'chunk', '\x019ca945f8487000800000000000001d', NULL, '2026-03-01 12:01:01+00', 0, '2026-03-01 12:01:01+00', NULL);
INSERT INTO public.jobs VALUES (31, 'chunk', '\x019ca945f8487000800000000000001e', NULL, '2026-03-01 12:01:15+00', 0, '2026-03-01 12:01:01+00', NULL);
INSERT INTO public.jobs VALUES (24, 'chunk', '\x019ca945f84870008000000000000017', NULL, '2026-03-01 12:01:46+00', 1, '2026-03-01 12:01:01+00', NULL);



INSERT INTO public.launch_counts VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'Android', 'skipped', 'opted_out', '', 1, 0, 0, 0, 0, 0);
INSERT INTO public.launch_counts VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'Android', 'unregistered', 'unregistered', '', 1, 0, 0, 1, 0, 0);
INSERT INTO public.launch_counts VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'Android', 'rejected', 'payload_too_big', '', 1, 0, 0, 1, 0, 0);
INSERT INTO public.launch_counts VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'Android', 'pending', '', '', 0, 0, 0, 0, 0, 0);
INSERT INTO public.launch_counts VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'Android', 'pending', 'unavailable', '', 0, 0, 0, 0, 0, 0);
INSERT INTO public.launch_counts VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'Android', 'pending', 'timeout', '', 0, 0, 0, 0, 0, 0);
INSERT INTO public.launch_counts VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'Android', 'accepted', '', '', 14, 3, 0, 16, 1, 0);
INSERT INTO public.launch_counts VALUES ('89a15aef-affa-5394-a960-1d82daaa5b60', 'Android', 'skipped', 'opted_out', '', 1, 0, 0, 0, 0, 0);
INSERT INTO public.launch_counts VALUES ('89a15aef-affa-5394-a960-1d82daaa5b60', 'Android', 'accepted', '', '', 3, 0, 0, 3, 0, 0);
INSERT INTO public.launch_counts VALUES ('89a15aef-affa-5394-a960-1d82daaa5b60', 'Android', 'pending', '', '', 11, 0, 0, 0, 0, 0);
INSERT INTO public.launch_counts VALUES ('89a15aef-affa-5394-a960-1d82daaa5b60', 'Android', 'pending', 'unavailable', '', 1, 0, 0, 1, 0, 0);



INSERT INTO public.launch_hours VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '2026-03-01 00:00:00+00', 3, 0, 0);



INSERT INTO public.launch_latencies VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', 'received', 1, 3);



INSERT INTO public.launches VALUES ('cad3dde5-bfac-5d23-ad4c-744ac78805f9', '00000000-0000-0000-0000-000000000001', '019ca945-0a00-7000-8000-000000000005', 'done', 'ff1853da-d7a3-525c-9405-4ed823d077b4', 17, '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00', '2026-03-01 12:01:00+00', '1', NULL, NULL, '2026-03-01 12:00:00+00', '2026-03-01 12:01:00+00', NULL, 0, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.launches VALUES ('89a15aef-affa-5394-a960-1d82daaa5b60', '00000000-0000-0000-0000-000000000001', '019ca945-f460-7000-8000-000000000013', 'sending', 'ff1853da-d7a3-525c-9405-4ed823d077b4', 16, '2026-03-01 12:01:01+00', '2026-03-01 12:01:01+00', NULL, '1', NULL, NULL, '2026-03-01 12:01:00+00', '2026-03-01 12:01:01+00', NULL, 0, NULL, NULL, NULL, NULL, NULL);









INSERT INTO public.merges VALUES ('019ca945-0a00-7000-8000-000000000002', '00000000-0000-0000-0000-000000000001', 'bob-2', 'bob', '2026-03-01 12:00:00+00', 'test', NULL, NULL);



INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'ada', '-infinity', 'infinity', 'd2ba8366-d5c8-50c5-9d94-ecc2210ed54c', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'browser', '-infinity', 'infinity', 'd2ba8366-d5c8-50c5-9d94-ecc2210ed54c', false, false);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'carl', '-infinity', 'infinity', 'e0b34d38-7ad2-5efa-a89b-137daddc3dd8', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'erased', '-infinity', 'infinity', '7b72358c-0ece-55a5-9f63-9032e7b9f697', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'quiet', '-infinity', 'infinity', 'ff175c16-273c-53bd-a72c-0bfe252385b9', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'bob', '-infinity', 'infinity', 'd80c4aef-043e-5dc6-b50e-0ef1d954cb27', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'bob-2', '-infinity', 'infinity', 'd80c4aef-043e-5dc6-b50e-0ef1d954cb27', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-bad-1', '-infinity', 'infinity', '5cb6dce7-769f-5134-a516-ccd20ab11009', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-dead-1', '-infinity', 'infinity', '3a7b6c66-3f27-5077-8033-fd3cdd99b6c6', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-down-1', '-infinity', 'infinity', 'd0fc7e34-c981-5723-b4bb-a61f2265555c', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-lost-1', '-infinity', 'infinity', 'fae681ea-1194-5c94-b68d-92ea3a5cdab9', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-1', '-infinity', 'infinity', '11fead9c-a4b1-5626-8673-002b23535319', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-2', '-infinity', 'infinity', '2b885675-81d8-5350-a3a5-a8cc6b4ca2a3', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-3', '-infinity', 'infinity', 'fd175387-e769-5c90-ac25-54807051d2dc', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-4', '-infinity', 'infinity', '430cba78-021a-56b9-bc5f-d68a16e14e6a', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-5', '-infinity', 'infinity', '743cb3fe-e6f1-5025-b727-59d9666a908e', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-6', '-infinity', 'infinity', 'ce1b2e10-3e16-5af8-8640-8478eb6ba13a', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-7', '-infinity', 'infinity', '27365b04-e0b8-570e-83a4-0769a6291d18', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-8', '-infinity', 'infinity', '4ef42513-ca0d-5ae2-a8ae-4f2ff7c0a2ed', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'user-ok-9', '-infinity', 'infinity', 'd5b9e15e-2cd0-5e41-b4c6-ea0e60d53238', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'dora', '-infinity', 'infinity', '22a013a7-5d66-53c3-bd6b-50948b1298fa', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'emil', '-infinity', 'infinity', '6b4671de-8454-5650-90ac-f8925ea74ec9', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'kiosk', '-infinity', 'infinity', '22a013a7-5d66-53c3-bd6b-50948b1298fa', false, false);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'kiosk-before', '-infinity', 'infinity', 'd80c4aef-043e-5dc6-b50e-0ef1d954cb27', false, false);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'shared-tablet', '-infinity', '2026-03-01 00:34:00+00', '22a013a7-5d66-53c3-bd6b-50948b1298fa', false, false);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'shared-tablet', '2026-03-01 00:34:00+00', 'infinity', '6b4671de-8454-5650-90ac-f8925ea74ec9', false, false);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'shared-tablet', '-infinity', '2026-03-01 00:34:00+00', '22a013a7-5d66-53c3-bd6b-50948b1298fa', true, false);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'shared-tablet', '2026-03-01 00:34:00+00', 'infinity', '6b4671de-8454-5650-90ac-f8925ea74ec9', true, false);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'fay', '-infinity', 'infinity', '3671df65-ddfc-50f1-a2bc-911c6028c71c', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'fast-clock', '-infinity', '2026-03-01 00:43:00+00', '3671df65-ddfc-50f1-a2bc-911c6028c71c', false, false);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'fast-clock', '2026-03-01 00:43:00+00', 'infinity', 'b2b4b0f6-c08e-58c4-989e-5c9bf9ef1185', false, false);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'gus', '-infinity', 'infinity', 'b2b4b0f6-c08e-58c4-989e-5c9bf9ef1185', true, true);
INSERT INTO public.ownership_periods VALUES ('00000000-0000-0000-0000-000000000001', 'device-as-user', '-infinity', 'infinity', '7cb962c1-73bf-5b87-acdc-20ed58965613', true, false);



INSERT INTO public.paces VALUES ('demo', '2026-03-01 12:01:01.004998+00', '2026-03-01 12:00:00+00', 1000.733161332728, NULL, NULL, NULL, NULL);















INSERT INTO public.receipts_due VALUES (53);






INSERT INTO public.removal_watches VALUES ('00000000-0000-0000-0000-000000000003', 18.886795156753376, 0.9903428719330245, 0, 18.99772666634227, 0.999805937621983, '2026-03-01 12:01:01+00');



INSERT INTO public.seen_messages VALUES ('\x306aba87d9d315f7607b9ba84dc1cb3e', '2026-03-01 00:14:00+00', 15);
INSERT INTO public.seen_messages VALUES ('\x5090869d72760c890ea85f790d01e08d', '2026-03-01 00:04:00+00', 4);
INSERT INTO public.seen_messages VALUES ('\x576d6007a312da810c6ee47dbb67e965', '2026-03-01 00:09:00+00', 9);
INSERT INTO public.seen_messages VALUES ('\x5a947484f17b0171702c4ce0cba33ea6', '2026-03-01 00:12:00+00', 13);
INSERT INTO public.seen_messages VALUES ('\x5cdf5f5f1f9eb227505b46374ee15c63', '2026-03-01 00:13:00+00', 14);
INSERT INTO public.seen_messages VALUES ('\x5e16eb4d8608d70c9714140a7ef614b5', '2026-03-01 00:06:00+00', 6);
INSERT INTO public.seen_messages VALUES ('\x6a5c056d6ca6c143fe18aa177fd2a639', '2026-03-01 00:02:00+00', 2);
INSERT INTO public.seen_messages VALUES ('\x7efacf522a2f559701d2e0f0b2f9320e', '2026-03-01 00:11:00+00', 11);
INSERT INTO public.seen_messages VALUES ('\x9475bff67ef9274d4bee0ca604c6e256', '2026-03-01 00:07:00+00', 7);
INSERT INTO public.seen_messages VALUES ('\xabae284f77d36f8b9a3fdadae27000f6', '2026-03-01 00:01:00+00', 1);
INSERT INTO public.seen_messages VALUES ('\xc26721a1c5f56e90b0e9c6062fa43292', '2026-03-01 00:03:00+00', 3);
INSERT INTO public.seen_messages VALUES ('\xca54b7b3441deb5e68473f028eec4f44', '2026-03-01 00:10:00+00', 10);
INSERT INTO public.seen_messages VALUES ('\xd4dae692bf9ba23bc949a985e6b42680', '2026-03-01 00:08:00+00', 8);
INSERT INTO public.seen_messages VALUES ('\xe46868ae8aa9e5e63843675e40af3360', '2026-03-01 00:05:00+00', 5);
INSERT INTO public.seen_messages VALUES ('\xf53e014a01d4bdd75e7b1f816293c338', '2026-03-01 00:12:00+00', 12);
INSERT INTO public.seen_messages VALUES ('\x1c7b87bc17f40b9a01cb06edfb697c7a', '2026-03-01 00:00:00+00', 20);
INSERT INTO public.seen_messages VALUES ('\x232d865e1156a11b92d2c92c5ba86555', '2026-03-01 00:00:00+00', 19);
INSERT INTO public.seen_messages VALUES ('\x3f940e872ee689354a75d802d3723a79', '2026-03-01 00:00:00+00', 25);
INSERT INTO public.seen_messages VALUES ('\x439bd0e2563e9651e7dbcfd2f05c4b43', '2026-03-01 00:00:00+00', 21);
INSERT INTO public.seen_messages VALUES ('\x601762b389944a87b71be52d6cc5009a', '2026-03-01 00:00:00+00', 28);
INSERT INTO public.seen_messages VALUES ('\x63a228575a56ce03da4342f19ef3a182', '2026-03-01 00:00:00+00', 22);
INSERT INTO public.seen_messages VALUES ('\x76156a5210917f00f01fa4a396a97c3d', '2026-03-01 00:00:00+00', 16);
INSERT INTO public.seen_messages VALUES ('\x8f3c4537ceb5cb49a594d60348bb497e', '2026-03-01 00:00:00+00', 26);
INSERT INTO public.seen_messages VALUES ('\x96f180bfa96af01cf3d8c3bef371d6c9', '2026-03-01 00:00:00+00', 27);
INSERT INTO public.seen_messages VALUES ('\xb73c5059340ce4e582e900bae99a829e', '2026-03-01 00:00:00+00', 23);
INSERT INTO public.seen_messages VALUES ('\xd2c8c8903eed1d303fb964b3531b9579', '2026-03-01 00:00:00+00', 18);
INSERT INTO public.seen_messages VALUES ('\xd488166b64314edb02ba43e461c52104', '2026-03-01 00:00:00+00', 24);
INSERT INTO public.seen_messages VALUES ('\xfca4b22d0133d957189ac0414a6e9d92', '2026-03-01 00:00:00+00', 17);
INSERT INTO public.seen_messages VALUES ('\x11a29a33321238abeb7d02508afcbe26', '2026-03-01 00:20:00+00', 29);
INSERT INTO public.seen_messages VALUES ('\xb13fa835c5c2982431c5580496271cbe', '2026-03-01 00:21:00+00', 30);
INSERT INTO public.seen_messages VALUES ('\xbd69c1b0506e9da6f98545dc2f5b41fa', '2026-03-01 00:22:00+00', 31);
INSERT INTO public.seen_messages VALUES ('\x119e71e4ae4e05f4ba4ae51dbb3a11c5', '2026-03-01 00:36:00+00', 39);
INSERT INTO public.seen_messages VALUES ('\x1f0be3c3bb975d206432663fef7f410d', '2026-03-01 00:35:00+00', 37);
INSERT INTO public.seen_messages VALUES ('\x218fc94cde373c9da21d45a80be642b5', '2026-03-01 00:20:00+00', 44);
INSERT INTO public.seen_messages VALUES ('\x26e1a2e48859defe73f7986cf76dee36', '2026-03-01 00:33:00+00', 35);
INSERT INTO public.seen_messages VALUES ('\x349ff8df226ba28687c1e6062ea25097', '2026-03-01 00:30:00+00', 32);
INSERT INTO public.seen_messages VALUES ('\x50863b1562f0dff10787c1bdf1f5879b', '2026-03-01 00:39:00+00', 43);
INSERT INTO public.seen_messages VALUES ('\x6c62306f2aacbcde8665072ba876fffa', '2026-03-01 00:38:00+00', 41);
INSERT INTO public.seen_messages VALUES ('\x8784f725ba10bd9828e16d622f0cd5dc', '2026-03-01 00:39:00+00', 42);
INSERT INTO public.seen_messages VALUES ('\x8c8a98c6184bf2afe18baee27664ecf8', '2026-03-01 00:34:00+00', 36);
INSERT INTO public.seen_messages VALUES ('\x9871b8bccd59645910a2ba48e28b98c4', '2026-03-01 00:31:00+00', 33);
INSERT INTO public.seen_messages VALUES ('\xbfafc0579e5bcbb29470179a23034d78', '2026-03-01 00:37:00+00', 40);
INSERT INTO public.seen_messages VALUES ('\xcff912bc9c4ce1a31df71754e9816078', '2026-03-01 00:32:00+00', 34);
INSERT INTO public.seen_messages VALUES ('\xeed0df1d62fbdc81bccee45f86b7efad', '2026-03-01 00:36:00+00', 38);
INSERT INTO public.seen_messages VALUES ('\x487258446ce1d8fc4e85950362417aff', '2026-03-01 00:40:00+00', 45);
INSERT INTO public.seen_messages VALUES ('\x6c24520780aebd49ba75907e2d3dd326', '2026-03-01 00:41:00+00', 46);
INSERT INTO public.seen_messages VALUES ('\x7f4d121924c41d99119e87b8abf9175e', '2026-03-01 00:42:00+00', 47);
INSERT INTO public.seen_messages VALUES ('\xa58f182dacb8f34df50c7433062c3e59', '2026-03-01 00:43:00+00', 48);
INSERT INTO public.seen_messages VALUES ('\x6f0d1b2b7392f88eb223320c08332105', '2026-03-01 00:44:00+00', 49);
INSERT INTO public.seen_messages VALUES ('\x8934ff588f4213c2ef96ff16af3ca0d7', '2026-03-01 00:45:00+00', 50);
INSERT INTO public.seen_messages VALUES ('\x38b23309af7a371495fbd7805c013142', '2026-03-01 00:46:00+00', 51);
INSERT INTO public.seen_messages VALUES ('\x6e526e4ceda41e0536054bd8febfe835', '2026-03-01 00:28:00+00', 52);
INSERT INTO public.seen_messages VALUES ('\x291f7533c5273ed6208e18b531420f2e', '2026-03-01 00:50:00+00', 53);












INSERT INTO public.sources VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'app', '00000000-0000-0000-0000-000000000003', '[]', NULL, NULL, NULL, '2026-03-01 12:00:00+00', NULL);



INSERT INTO public.suppressions VALUES ('00000000-0000-0000-0000-000000000001', '64de97d022404a9f63832d3a49f6c16f3bcd61170cd9cba33ccb313543323c57', '64de97d022404a9f63832d3a49f6c16f3bcd61170cd9cba33ccb313543323c57', 'suppressed', '2026-03-01 12:00:00+00');
INSERT INTO public.suppressions VALUES ('00000000-0000-0000-0000-000000000001', '2be5e90ac736882756b1141f5e6a17cddb152e06434414a5014ba3193d9e238b', '2be5e90ac736882756b1141f5e6a17cddb152e06434414a5014ba3193d9e238b', 'erased', '2026-03-01 12:01:01+00');
INSERT INTO public.suppressions VALUES ('00000000-0000-0000-0000-000000000001', 'aca6d30a5cd36093776a7654112f749144a7d7f592c6ed7f8eb470876e3a775c', '2be5e90ac736882756b1141f5e6a17cddb152e06434414a5014ba3193d9e238b', 'erased', '2026-03-01 12:01:01+00');



INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', '075641514519ca4e5c275a843b9e7a28a429e999dceda63ed0ea9ab2b9b509c2', 'tablet', '2026-03-01 00:04:00+00', 1, 'm04');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', '3048fb906f278e3de979c9a47b9477283cc40c8ec50ee8caeac2f3efc71b471e', 'phone', '2026-03-01 00:01:00+00', 1, 'm01');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', '39a9c295a19a882d69500db4d3f1bfe22440bbcd83becf9f2383bdc9c20702b5', 'gone', '2026-03-01 00:13:00+00', 1, 'm14');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', '87d1d73d7f37742d3e5ad075fd1a4c02ee528801fa5623eaf655e6539e7f44c0', 'tablet', '2026-03-01 00:05:00+00', 1, 'm05');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', 'a157c8e0ed479a92c2a97f6870cba2c1336e57301b2fcdcf3ebea88ea503c5f5', 'old', '2026-03-01 00:07:00+00', 1, 'm07');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', 'f0228932ee55f92579afe0d1418ac6161d340c2d13dfe83ed808239c038a95a3', 'quiet', '2026-03-01 00:12:00+00', 0, 'm12');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', '24d10a4ab28dbd0691ec506ed5b1d8d3374e4bb801f32210c12d0c5cad132a69', 'D-ok-4', '2026-03-01 00:00:00+00', 1, 'm23');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', '34f84c205a9f00235afec8102a23985fdf25ba75e55d7d6dab7be280f525a262', 'D-ok-6', '2026-03-01 00:00:00+00', 1, 'm25');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', '4b05db3a99d8656aec7d668b22088687cdbcf24646e14af11c92b679c63edb3b', 'D-dead-1', '2026-03-01 00:00:00+00', 1, 'm17');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', '7841cb8dc92f7bf9c5a068fa7a74047e5668e1c1b707844335775d2440436d18', 'D-ok-5', '2026-03-01 00:00:00+00', 1, 'm24');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', '84f5d826088062855c0176db3b072c18f56a6262bd7e517c4f67ce134116b66a', 'D-ok-8', '2026-03-01 00:00:00+00', 1, 'm27');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', '8df833cdd564d9be3c9909b70cdeebe1933e85a3b3a7ffeabef24617bca64f09', 'D-ok-7', '2026-03-01 00:00:00+00', 1, 'm26');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', 'b826cbf7b117875cb05e40a47b2ede3b161de578cb820ee1e0bf61aa928bb9ea', 'D-ok-3', '2026-03-01 00:00:00+00', 1, 'm22');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', 'c5e422fe8104b1352cc20343246bd3afb25c717042b41f6de64316f86130329d', 'D-lost-1', '2026-03-01 00:00:00+00', 1, 'm16');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', 'c797d9bf526a8012d39b32c1f6761bff855f1a3840dccc32456434d68820ada0', 'D-bad-1', '2026-03-01 00:00:00+00', 1, 'm18');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', 'c91b36d1da39bbd89ae10394c2cf8fc4ba417755b96d8b9253718038752d8ae2', 'D-ok-9', '2026-03-01 00:00:00+00', 1, 'm28');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', 'e43010e4c07c7cee53685f8c37ea8ef0ef01d9f8035dd79cd88955ddf814981a', 'D-ok-1', '2026-03-01 00:00:00+00', 1, 'm20');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', 'f3b425cbc3f75d456644f010bf175f68cb71734b88066e9887892052deaf967e', 'D-ok-2', '2026-03-01 00:00:00+00', 1, 'm21');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', 'fb30cb9bed1818aeba26ba63235f73f322161becc384429f49fb11b3aab419ab', 'D-down-1', '2026-03-01 00:00:00+00', 1, 'm19');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', '494390768c4bdee69d94384b3fb952156f9f92e73de50cd6f50f4fd150456202', 'shared-tablet', '2026-03-01 00:36:00+00', 1, 'hands07');
INSERT INTO public.tokens VALUES ('00000000-0000-0000-0000-000000000001', 'bd79042bc3d6994b1696c74bbd3d29999f7315589c46a2e20829e32c257019bb', 'device-as-user', '2026-03-01 00:45:00+00', 0, 'hands19');



INSERT INTO public.trait_claims VALUES ('00000000-0000-0000-0000-000000000001', 'ada', 'm03', true, '00000000-0000-0000-0000-000000000002', 'browser', '2026-03-01 00:03:00+00', NULL, NULL, '2026-03-01 00:03:00+00', true, '{"email":"ada@shop.example","n":1.5}');
INSERT INTO public.trait_claims VALUES ('00000000-0000-0000-0000-000000000001', 'bob', 'm06', true, '00000000-0000-0000-0000-000000000002', NULL, '2026-03-01 00:06:00+00', NULL, NULL, '2026-03-01 00:06:00+00', true, '{"plan":"pro","tags":["a","é"]}');
INSERT INTO public.trait_claims VALUES ('00000000-0000-0000-0000-000000000001', 'bob-2', 'm09', true, '00000000-0000-0000-0000-000000000002', NULL, '2026-03-01 00:09:00+00', NULL, NULL, '2026-03-01 00:09:00+00', true, '{"plan":"free","city":"Graz"}');
INSERT INTO public.trait_claims VALUES ('00000000-0000-0000-0000-000000000001', 'quiet', 'm13', true, '00000000-0000-0000-0000-000000000002', NULL, '2026-03-01 00:12:00+00', NULL, NULL, '2026-03-01 00:12:00+00', true, '{"email":"quiet@shop.example"}');
INSERT INTO public.trait_claims VALUES ('00000000-0000-0000-0000-000000000001', 'erased', 'm15', true, '00000000-0000-0000-0000-000000000002', NULL, '2026-03-01 00:14:00+00', NULL, NULL, '2026-03-01 00:14:00+00', true, '{"email":"erased@shop.example"}');
INSERT INTO public.trait_claims VALUES ('00000000-0000-0000-0000-000000000001', 'dora', 'hands02', true, '00000000-0000-0000-0000-000000000002', 'kiosk', '2026-03-01 00:31:00+00', NULL, NULL, '2026-03-01 00:31:00+00', true, '{"email":"dora@shop.example"}');
INSERT INTO public.trait_claims VALUES ('00000000-0000-0000-0000-000000000001', 'emil', 'hands08', true, '00000000-0000-0000-0000-000000000002', 'shared-tablet', '2026-03-01 00:36:00+00', NULL, NULL, '2026-03-01 00:36:00+00', true, '{"plan":"basic"}');
INSERT INTO public.trait_claims VALUES ('00000000-0000-0000-0000-000000000001', 'device-as-user', 'hands10', true, '00000000-0000-0000-0000-000000000002', NULL, '2026-03-01 00:38:00+00', NULL, NULL, '2026-03-01 00:38:00+00', true, '{"theme":"dark"}');
INSERT INTO public.trait_claims VALUES ('00000000-0000-0000-0000-000000000001', 'fay', 'hands15', true, '00000000-0000-0000-0000-000000000002', 'fast-clock', '2026-03-01 00:41:00+00', '2026-03-01 01:02:00+00', NULL, '2026-03-01 00:41:00+00', true, '{"city":"Linz"}');
INSERT INTO public.trait_claims VALUES ('00000000-0000-0000-0000-000000000001', 'gus', 'hands17', true, '00000000-0000-0000-0000-000000000002', 'fast-clock', '2026-03-01 00:43:00+00', '2026-03-01 01:06:00+00', NULL, '2026-03-01 00:43:00+00', true, '{"city":"Wels"}');






INSERT INTO public.workspaces VALUES ('00000000-0000-0000-0000-000000000001', 'test', 60, '\x968a28da0833c95158c970b4bb4752b3375eb90954ccd723312d14f3a071ba52', '2026-03-01 12:00:00+00', NULL, 'UTC');



INSERT INTO public.write_keys VALUES ('aa88b048-d295-554c-b92e-757fab65aa45', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', '20ca584a58596b9b8a9aedba5d16a964e2ccc19576911fee', '2026-03-01 12:00:00+00', NULL, NULL);



SELECT pg_catalog.setval('public.device_history_seq_seq', 26, true);



SELECT pg_catalog.setval('public.events_seq_seq', 53, true);



SELECT pg_catalog.setval('public.ingest_log_seq_seq', 1, false);



SELECT pg_catalog.setval('public.jobs_id_seq', 31, true);



ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);



ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash);



ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.audience_members
    ADD CONSTRAINT audience_members_pkey PRIMARY KEY (audience_id, user_id);



ALTER TABLE ONLY public.audiences
    ADD CONSTRAINT audiences_code UNIQUE (workspace_id, code);



ALTER TABLE ONLY public.audiences
    ADD CONSTRAINT audiences_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.awaited_events
    ADD CONSTRAINT awaited_events_pkey PRIMARY KEY (workspace_id, name, launch_id);



ALTER TABLE ONLY public.campaign_approvals
    ADD CONSTRAINT campaign_approvals_pkey PRIMARY KEY (campaign_id);



ALTER TABLE ONLY public.campaign_names
    ADD CONSTRAINT campaign_names_pkey PRIMARY KEY (workspace_id, name, campaign_id);



ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.category_choices
    ADD CONSTRAINT category_choices_pkey PRIMARY KEY (workspace_id, user_id, category);



ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.claims
    ADD CONSTRAINT claims_pkey PRIMARY KEY (workspace_id, key, at, message_id);



ALTER TABLE ONLY public.clock_leads
    ADD CONSTRAINT clock_leads_pkey PRIMARY KEY (workspace_id, key, source_id);



ALTER TABLE ONLY public.companions
    ADD CONSTRAINT companions_pkey PRIMARY KEY (workspace_id, id, key);



ALTER TABLE ONLY public.conversions_due
    ADD CONSTRAINT conversions_due_pkey PRIMARY KEY (seq);



ALTER TABLE ONLY public.customer_deliveries
    ADD CONSTRAINT customer_deliveries_pkey PRIMARY KEY (customer_id, launch_id, device_id);



ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_user UNIQUE (workspace_id, user_id);



ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (launch_id, device_id);



ALTER TABLE ONLY public.device_deletions
    ADD CONSTRAINT device_deletions_pkey PRIMARY KEY (workspace_id, device_id, at, message_id);



ALTER TABLE ONLY public.device_history
    ADD CONSTRAINT device_history_pkey PRIMARY KEY (seq);



ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_device UNIQUE (workspace_id, device_id);



ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.erasures
    ADD CONSTRAINT erasures_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.event_traces
    ADD CONSTRAINT event_traces_pkey PRIMARY KEY (workspace_id, key, at, seq);



ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (seq);



ALTER TABLE ONLY public.firebase_apps
    ADD CONSTRAINT firebase_apps_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.firebase_apps
    ADD CONSTRAINT firebase_apps_project UNIQUE (workspace_id, project_id);



ALTER TABLE ONLY public.identifiers
    ADD CONSTRAINT identifiers_pkey PRIMARY KEY (workspace_id, key);



ALTER TABLE ONLY public.identity_secrets
    ADD CONSTRAINT identity_secrets_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.ingest_log
    ADD CONSTRAINT ingest_log_id UNIQUE (id);



ALTER TABLE ONLY public.ingest_log
    ADD CONSTRAINT ingest_log_pkey PRIMARY KEY (seq);



ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_token_hash_key UNIQUE (token_hash);



ALTER TABLE ONLY public.job_keys
    ADD CONSTRAINT job_keys_pkey PRIMARY KEY (key);



ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.launch_counts
    ADD CONSTRAINT launch_counts_pkey PRIMARY KEY (launch_id, platform, state, reason, language);



ALTER TABLE ONLY public.launch_hours
    ADD CONSTRAINT launch_hours_pkey PRIMARY KEY (launch_id, hour);



ALTER TABLE ONLY public.launch_latencies
    ADD CONSTRAINT launch_latencies_pkey PRIMARY KEY (launch_id, kind, up_to_seconds);



ALTER TABLE ONLY public.launches
    ADD CONSTRAINT launches_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);



ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (person_id, workspace_id);



ALTER TABLE ONLY public.merges
    ADD CONSTRAINT merges_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.ownership_periods
    ADD CONSTRAINT ownership_periods_pkey PRIMARY KEY (workspace_id, key, is_user, start_at);



ALTER TABLE ONLY public.paces
    ADD CONSTRAINT paces_pkey PRIMARY KEY (project_id);



ALTER TABLE ONLY public.password_resets
    ADD CONSTRAINT password_resets_pkey PRIMARY KEY (person_id);



ALTER TABLE ONLY public.password_resets
    ADD CONSTRAINT password_resets_token_hash_key UNIQUE (token_hash);



ALTER TABLE ONLY public.people
    ADD CONSTRAINT people_email_key UNIQUE (email);



ALTER TABLE ONLY public.people
    ADD CONSTRAINT people_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.pushes
    ADD CONSTRAINT pushes_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (firebase_app_id, device_id);



ALTER TABLE ONLY public.receipts_due
    ADD CONSTRAINT receipts_due_pkey PRIMARY KEY (seq);



ALTER TABLE ONLY public.recent_pushes
    ADD CONSTRAINT recent_pushes_pkey PRIMARY KEY (customer_id);



ALTER TABLE ONLY public.removal_watches
    ADD CONSTRAINT removal_watches_pkey PRIMARY KEY (firebase_app_id);



ALTER TABLE ONLY public.seen_messages
    ADD CONSTRAINT seen_messages_pkey PRIMARY KEY (hash);



ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_token_hash_key UNIQUE (token_hash);



ALTER TABLE ONLY public.sign_in_tries
    ADD CONSTRAINT sign_in_tries_pkey PRIMARY KEY (key);



ALTER TABLE ONLY public.source_counts
    ADD CONSTRAINT source_counts_pkey PRIMARY KEY (source_id, hour, kind, label, name);



ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.suppressions
    ADD CONSTRAINT suppressions_pkey PRIMARY KEY (workspace_id, hash);



ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (workspace_id, installation_hash);



ALTER TABLE ONLY public.trait_claims
    ADD CONSTRAINT trait_claims_pkey PRIMARY KEY (workspace_id, key, message_id);



ALTER TABLE ONLY public.workspace_limits
    ADD CONSTRAINT workspace_limits_pkey PRIMARY KEY (workspace_id);



ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT workspaces_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.write_keys
    ADD CONSTRAINT write_keys_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.write_keys
    ADD CONSTRAINT write_keys_write_key_key UNIQUE (write_key);



CREATE INDEX audience_members_user ON public.audience_members USING btree (workspace_id, user_id);



CREATE INDEX audit_actor ON public.audit USING btree (workspace_id, actor_id, id);



CREATE INDEX audit_thing ON public.audit USING btree (workspace_id, thing_kind, thing_id, id);



CREATE INDEX audit_workspace ON public.audit USING btree (workspace_id, id);



CREATE INDEX campaign_names_campaign ON public.campaign_names USING btree (campaign_id);



CREATE UNIQUE INDEX campaigns_code ON public.campaigns USING btree (workspace_id, code) WHERE (code IS NOT NULL);



CREATE INDEX campaigns_due ON public.campaigns USING btree (state, scheduled_at);



CREATE INDEX campaigns_workspace ON public.campaigns USING btree (workspace_id, id);



CREATE INDEX chunks_due ON public.chunks USING btree (due_at) WHERE (state <> 'settled'::text);



CREATE INDEX chunks_launch ON public.chunks USING btree (launch_id) WHERE (state <> 'settled'::text);



CREATE INDEX claims_user ON public.claims USING btree (workspace_id, user_id, key);



CREATE INDEX companions_key ON public.companions USING btree (workspace_id, key);



CREATE INDEX conversions_due_at ON public.conversions_due USING btree (due_at);



CREATE INDEX customers_email ON public.customers USING btree (workspace_id, email) WHERE (email IS NOT NULL);



CREATE INDEX deliveries_open ON public.deliveries USING btree (chunk_id) WHERE (state = 'pending'::text);



CREATE INDEX device_deletions_user ON public.device_deletions USING btree (workspace_id, user_id);



CREATE INDEX device_history_customer ON public.device_history USING btree (workspace_id, customer_id, seq);



CREATE INDEX device_history_device ON public.device_history USING btree (workspace_id, device_id, seq);



CREATE INDEX device_history_previous ON public.device_history USING btree (workspace_id, previous_customer_id) WHERE (previous_customer_id IS NOT NULL);



CREATE INDEX device_history_stale ON public.device_history USING btree (workspace_id, seq) WHERE (reason = 'stale'::text);



CREATE INDEX devices_audience ON public.devices USING btree (workspace_id, id) WHERE (state = 'active'::text);



CREATE INDEX devices_customer ON public.devices USING btree (workspace_id, customer_id);



CREATE INDEX devices_due ON public.devices USING btree (workspace_id, registered_at) WHERE (state = 'active'::text);



CREATE INDEX devices_moved_apns ON public.devices USING btree (workspace_id, moved_apns) WHERE (moved_apns IS NOT NULL);



CREATE INDEX devices_moved_fcm ON public.devices USING btree (workspace_id, moved_fcm) WHERE (moved_fcm IS NOT NULL);



CREATE INDEX devices_moved_fid ON public.devices USING btree (workspace_id, moved_fid) WHERE (moved_fid IS NOT NULL);



CREATE INDEX event_traces_message ON public.event_traces USING btree (message_id) WHERE (message_id IS NOT NULL);



CREATE INDEX events_key ON public.events USING btree (workspace_id, key, at);



CREATE INDEX events_source ON public.events USING btree (source_id, seq);



CREATE INDEX identity_secrets_source ON public.identity_secrets USING btree (source_id);



CREATE INDEX ingest_log_event ON public.ingest_log USING btree (workspace_id, seq) WHERE (stage = 'event'::text);



CREATE INDEX ingest_log_key ON public.ingest_log USING btree (workspace_id, anonymous_id) WHERE (anonymous_id IS NOT NULL);



CREATE INDEX ingest_log_message ON public.ingest_log USING btree (workspace_id, message_id) WHERE (message_id IS NOT NULL);



CREATE INDEX ingest_log_source ON public.ingest_log USING btree (source_id, seq, outcome, stage);



CREATE INDEX ingest_log_user ON public.ingest_log USING btree (workspace_id, user_id) WHERE (user_id IS NOT NULL);



CREATE INDEX invitations_workspace ON public.invitations USING btree (workspace_id, id);



CREATE INDEX jobs_due ON public.jobs USING btree (kind, available_at) WHERE (rejected_reason IS NULL);



CREATE INDEX jobs_rejected ON public.jobs USING btree (kind, id) WHERE (rejected_reason IS NOT NULL);



CREATE INDEX launches_calendar ON public.launches USING btree (workspace_id, due_at) WHERE (occurrence <> 'push'::text);



CREATE INDEX launches_campaign ON public.launches USING btree (campaign_id, started_at, id);



CREATE INDEX launches_emptying ON public.launches USING btree (workspace_id) WHERE ((deliveries_removed_at IS NOT NULL) AND (emptied_at IS NULL));



CREATE INDEX launches_kept ON public.launches USING btree (workspace_id, done_at) WHERE (deliveries_removed_at IS NULL);



CREATE INDEX launches_occurrences ON public.launches USING btree (campaign_id, started_at, id) WHERE (occurrence <> 'push'::text);



CREATE INDEX launches_planning ON public.launches USING btree (id) WHERE (state = 'planning'::text);



CREATE INDEX launches_unindexed ON public.launches USING btree (workspace_id, started_at) WHERE (indexed_at IS NULL);



CREATE INDEX memberships_workspace ON public.memberships USING btree (workspace_id, person_id);



CREATE UNIQUE INDEX merges_active ON public.merges USING btree (workspace_id, from_user) WHERE (undone_at IS NULL);



CREATE INDEX ownership_customer ON public.ownership_periods USING btree (customer_id);



CREATE INDEX pushes_customer ON public.pushes USING btree (customer_id);



CREATE UNIQUE INDEX pushes_key ON public.pushes USING btree (workspace_id, key_hash) WHERE (key_hash IS NOT NULL);



CREATE INDEX pushes_workspace ON public.pushes USING btree (workspace_id, id);



CREATE INDEX sessions_person ON public.sessions USING btree (person_id, id);



CREATE INDEX sign_in_tries_begun ON public.sign_in_tries USING btree (begun_at);



CREATE INDEX suppressions_subject ON public.suppressions USING btree (workspace_id, subject);



CREATE INDEX tokens_device ON public.tokens USING btree (workspace_id, device_id);



CREATE INDEX write_keys_source ON public.write_keys USING btree (workspace_id, source_id);




