"""Examples in the API's description, by the name of what they are an example of."""

from typing import Any

_CUSTOMER = "6f0d6f3e-6a0c-5a53-9b8e-0a6c2d1f4e77"
_CAMPAIGN = "01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70"
_SOURCE = "01981f5c-11aa-7e0b-8a55-6d1f0b9c2e31"
_APP = "01981f5b-90c4-7b7d-b4c2-3f7e8a1d5c02"
_COUNTS = {
    "planned": 8000,
    "accepted": 7412,
    "unregistered": 156,
    "rejected": 0,
    "skipped": 432,
    "expired": 0,
    "cancelled": 0,
    "in_flight": 0,
    "received": 6310,
    "opened": 1483,
    "converted": 211,
}

EXAMPLES: dict[str, Any] = {
    "ServiceAccount": {
        "type": "service_account",
        "project_id": "shop-prod",
        "private_key_id": "4c1f…",
        "private_key": "-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n",
        "client_email": "firebase-adminsdk@shop-prod.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    },
    "Pause": {"reason": "the key is being rotated"},
    "Removals": {"decision": "keep"},
    "FirebaseAppChange": {"pushes_per_minute": 1_200_000, "avoid_peaks": False},
    "NewWorkspace": {"name": "Shop"},
    "NewInvitation": {"email": "ada@example.com", "role": "publisher"},
    "RoleChange": {"role": "admin"},
    "NewSource": {"name": "Android app"},
    "SourceChange": {
        "allowed_origins": ["https://shop.example", "https://*.shop.example"],
        "rate_limit": {"events_per_second": 100, "burst": 500},
    },
    "Source": {
        "id": _SOURCE,
        "name": "Android app",
        "write_key": "Vb0y4N1v0w8nGJ3oGm2k9mJw0Qd1rT5x",
        "firebase_app_id": _APP,
        "allowed_origins": [],
        "rate_limit": None,
        "signs_identity": False,
        "signatures_from": None,
        "created_at": "2026-03-01T09:00:00Z",
        "revoked_at": None,
    },
    "NewIdentitySecret": {"ask_after_days": 60},
    "Rotation": {"retire_former_after_days": 90},
    "Retirement": {"after_days": 0},
    "RateLimit": {"events_per_second": 100, "burst": 500},
    "WriteKey": {
        "id": "01981f60-31d5-7c02-8a7e-5e3c1b2a9d10",
        "kind": "write_key",
        "state": "stands",
        "write_key": "pT4wX2c7b0qLr9ZsVn3yKd8eHf6gJm1u",
        "hint": "…Jm1u",
        "created_at": "2026-03-01T09:00:00Z",
        "last_used_at": "2026-03-02T11:41:09Z",
        "retires_at": None,
    },
    "MadeIdentitySecret": {
        "id": "01981f61-07b2-7e55-9f0d-2c4a6e8b1d33",
        "kind": "identity_secret",
        "state": "stands",
        "secret": "cis_…",
        "created_at": "2026-03-01T09:00:00Z",
        "last_used_at": None,
        "retires_at": None,
    },
    "NewApiKey": {"name": "deploy script", "scopes": ["write"]},
    "WorkspaceChange": {"stale_after_days": 90},
    "CustomerWithDevices": {
        "id": _CUSTOMER,
        "user_id": "user-4711",
        "traits": {"first_name": "Ada", "plan": "pro"},
        "push_opted_out": False,
        "suppressed_at": None,
        "first_seen_at": "2026-01-12T08:30:00Z",
        "last_seen_at": "2026-03-01T09:12:44Z",
        "devices": [
            {
                "id": "5d0f4f0e-4a07-5b7c-8c6e-9c1b5b1f0a11",
                "device_id": "7f9a2c1e-install",
                "platform": "Android",
                "state": "active",
                "reason": None,
                "token_kind": "fcm",
                "token_fingerprint": "3fa94b21c0de",
                "registrations": [
                    {
                        "token_kind": "fcm",
                        "token_fingerprint": "3fa94b21c0de",
                        "state": "active",
                        "reason": None,
                        "registered_at": "2026-02-20T17:02:10Z",
                    }
                ],
                "cure": None,
                "facts": {
                    "app_name": "Shop",
                    "app_version": "2.1.0",
                    "app_build": "210",
                    "os_name": "Android",
                    "os_version": "15",
                    "manufacturer": "Google",
                    "model": "Pixel 9",
                    "locale": "de-AT",
                    "timezone": "Europe/Vienna",
                    "push_permission": "granted",
                },
                "source_id": _SOURCE,
                "registered_at": "2026-02-20T17:02:10Z",
                "last_seen_at": "2026-03-01T09:12:44Z",
            }
        ],
    },
    "NewMerge": {"into": "user-12"},
    "Event": {
        "seq": 471_108,
        "message_id": "ajs-2f1c9a",
        "type": "track",
        "event": "Product Viewed",
        "at": "2026-03-01T09:12:44Z",
        "received_at": "2026-03-01T09:12:45Z",
        "source_id": _SOURCE,
        "user_id": "user-4711",
        "anonymous_id": None,
        "customer": {"id": _CUSTOMER, "user_id": "user-4711"},
        "body": {"type": "track", "event": "Product Viewed", "properties": {"sku": "T-17"}},
    },
    "SourceEvent": {
        "outcome": "refused",
        "message_id": "ajs-2f1c9b",
        "type": "track",
        "event": "Register Push",
        "user_id": "user-4711",
        "anonymous_id": None,
        "device_id": None,
        "sdk": {"name": "analytics-android", "version": "4.11.3"},
        "at": None,
        "received_at": "2026-03-01T09:12:45Z",
        "stage": "registration",
        "code": "token_missing",
        "message": "properties.fcmToken is missing or empty.",
        "cure": "Wait for the Firebase SDK's token, then send `Register Push` with it.",
        "excerpt": None,
    },
    "SourceCounts": {
        "since": "2026-03-01T09:00:00Z",
        "until": "2026-03-01T09:12:45Z",
        "accepted": 1204,
        "duplicate": 3,
        "refused": 17,
        "turned_away": 2,
        "hours": [
            {
                "hour": "2026-03-01T09:00:00Z",
                "accepted": 1204,
                "duplicate": 3,
                "refused": 17,
                "turned_away": 2,
            }
        ],
        "events": [{"type": "track", "event": "Product Viewed", "accepted": 1204, "duplicate": 3}],
        "refusals": [
            {
                "code": "token_missing",
                "count": 17,
                "cure": "Wait for the Firebase SDK's token, then send `Register Push` with it.",
                "events": {"Register Push": 17},
            }
        ],
        "calls": [
            {
                "code": "write_key_retired",
                "count": 2,
                "cure": "Release the app with a write key that stands.",
                "about": {"7uRhcdxI…": 2},
            }
        ],
        "sdks": [{"name": "analytics-android", "version": "4.11.3", "count": 1204}],
        "warnings": [],
    },
    "NewAudience": {
        "code": "gold-vienna",
        "name": "Gold, in Vienna",
        "rule": {
            "all": [
                {"trait": "plan", "test": "equals", "value": "gold"},
                {"trait": "address.city", "test": "equals", "value": "Wien"},
                {"event": "Order Completed", "test": "did", "last_days": 30},
            ]
        },
    },
    "AudienceChange": {"name": "Gold, in and around Vienna"},
    "CountedRule": {"rule": {"trait": "age", "test": "more_than", "value": 30}},
    "SampledRule": {"rule": {"trait": "age", "test": "more_than", "value": 30}, "limit": 5},
    "ExplainedRule": {
        "rule": {"trait": "age", "test": "more_than", "value": 30},
        "customer": "user-4711",
    },
    "MembersFile": {"file": "user_id\nuser-4711\nuser-4712\n", "replace": False},
    "NewCampaign": {
        "name": "Spring sale",
        "content": {
            "title": "{{ customer.first_name | default: 'Hello' }}, spring is here",
            "body": "Two days early, for you.",
            "link": "https://shop.example/spring",
            "data": {"screen": "spring"},
            "ttl_seconds": 86400,
            "platforms": {"Web": {"link": "https://shop.example/web/spring"}},
        },
        "audience": {"traits": {"plan": "pro"}},
    },
    "NewPush": {
        "user_id": "user-4711",
        "campaign": "order-sent",
        "event": {"order_id": 4711},
        "devices": "last_active",
    },
    "PlannedPush": {
        "id": "01981f70-2c1d-7e4a-9b3f-5a6c7d8e9f01",
        "campaign_id": _CAMPAIGN,
        "customer": {"id": _CUSTOMER, "user_id": "user-4711"},
        "devices": [{"device_id": "7f9a2c1e-install", "platform": "Android", "skipped": None}],
        "skipped": None,
        "created_at": "2026-03-01T09:12:44Z",
    },
    "CampaignChange": {"name": "Spring sale, again", "audience": {"everyone": True}},
    "CategoryWish": {"subscribed": False},
    "LimitsChange": {
        "exclusions": {"audience": "staff"},
        "caps": [{"pushes": 3, "days": 1}, {"pushes": 1, "hours": 4, "category": "news"}],
        "quiet_hours": {"start": "22:00", "end": "08:00", "action": "hold"},
    },
    "Approve": {"fingerprint": "5f0c1d" + 29 * "b2"},
    "Reject": {"comment": "The price is wrong."},
    "Schedule": {"at": "2026-12-24T18:00:00+01:00"},
    "PreviewFor": {"user_id": "user-4711"},
    "Report": {
        "reason": None,
        "campaign_id": _CAMPAIGN,
        "state": "done",
        **_COUNTS,
        "reasons": {
            "unregistered": {"unregistered": 139, "malformed_token": 17},
            "skipped": {"opted_out": 430, "device_moved": 2},
        },
        "platforms": {"Android": {**_COUNTS, "reasons": {"skipped": {"opted_out": 430}}}},
        "languages": {},
        "attempts": 7892,
        "unanswered": 0,
        "balances": True,
        "waiting": [],
        "deliveries_removed_at": None,
    },
    "ServiceRows": {
        "rows": [
            {
                "Id": "ep-1",
                "ChannelType": "GCM",
                "Address": "fcm-token-of-a-phone",
                "OptOut": "NONE",
                "User": {"UserId": "user-4711", "UserAttributes": {"Plan": ["gold"]}},
            }
        ]
    },
    "TokensToCheck": {"tokens": [{"token": "fcm-token-of-a-phone", "platform": "Android"}]},
}
