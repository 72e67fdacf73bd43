"""Views that are shared with everyone, and the view that opens by default."""

import pytest
from django.contrib.auth.models import Group

from flows.audit import audit_log
from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from flows.search import saved_views
from flows.search.models import SavedView
from tests import ACCOUNT
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

STAGING = "AC" + "0e" * 16


def save(client, name="SMS", query="channel=sms"):
    client.post("/flows/views/", {"name": name, "query": query})
    return SavedView.objects.get(name=name)


def share(client, view, shared="true"):
    return client.post(f"/flows/views/{view.pk}/share/", {"shared": shared})


def make_default(client, view, default="true"):
    return client.post(f"/flows/views/{view.pk}/default/", {"default": default})


def names(client, query="?view=all"):
    return [view.name for view in client.get(f"/flows/{query}").context["views"]]


def view_events():
    events = AuditEvent.objects.filter(action__startswith="view.").order_by("seq")
    return [(event.action, event.result, event.actor_label) for event in events]


def test_shared_view_is_seen_by_everyone_and_recorded(client_of):
    owner, viewer = client_of("operator"), client_of("viewer")
    view = save(owner)
    assert names(viewer) == []

    assert share(owner, view)["Location"] == "/flows/?channel=sms"

    assert names(viewer) == ["SMS"]
    assert "shared by<bdi>operator</bdi>" in squeezed(viewer.get("/flows/").content.decode())
    assert view_events() == [("view.share", "succeeded", "operator")]
    payload = AuditEvent.objects.latest("seq").payload
    assert payload.friendly_name == "SMS"
    assert payload.after == {"owner": "operator", "Channel": "sms"}


def test_button_that_shares_says_what_everyone_sees(client_of, flow_sid):
    owner = client_of("operator")
    view = save(owner)
    sentence = "Everyone sees its name and filters."

    assert sentence in owner.get("/flows/?channel=sms").content.decode()
    share(owner, view)
    assert sentence not in owner.get("/flows/?channel=sms").content.decode()


def test_others_can_use_a_shared_view_but_neither_delete_nor_replace_it(client_of):
    view = save(client_of("operator"))
    share(client_of("operator"), view)
    admin = client_of("admin")

    assert admin.post(f"/flows/views/{view.pk}/remove/").status_code == 404
    admin.post("/flows/views/", {"name": "SMS", "query": "channel=web"})

    view.refresh_from_db()
    assert view.query == "channel=sms"
    assert SavedView.objects.count() == 2


def test_whoever_may_share_may_stop_sharing_and_the_owner_keeps_the_view(client_of):
    owner = client_of("operator")
    view = save(owner)
    share(owner, view)

    share(client_of("admin"), view, "false")

    assert names(client_of("viewer")) == []
    assert names(owner) == ["SMS"]
    assert view_events()[-1] == ("view.unshare", "succeeded", "admin")


def test_users_who_may_not_change_flows_may_not_share(client_of):
    viewer = client_of("viewer")
    view = save(viewer)

    assert share(viewer, view).status_code == 403

    assert not SavedView.objects.get().is_shared
    assert view_events() == [("view.share", "denied", "viewer")]
    assert "Share with everyone" not in viewer.get("/flows/?channel=sms").content.decode()


def test_owner_who_may_no_longer_share_can_neither_replace_nor_delete_the_view(client_of, flow_sid):
    owner = client_of("operator")
    view = save(owner)
    share(owner, view)
    view.person.groups.set([Group.objects.get(name="viewer")])
    sentence = "Your view “SMS” is shared with everyone. Your role doesn&#x27;t allow you to"

    replaced = owner.post("/flows/views/", {"name": "SMS", "query": "channel=web"}, follow=True)
    deleted = owner.post(f"/flows/views/{view.pk}/remove/", follow=True)

    for answer in (replaced, deleted):
        assert answer.status_code == 200
        assert sentence in answer.content.decode()
    assert deleted.redirect_chain[0][0] == "/flows/?channel=sms"
    assert "Delete view" not in deleted.content.decode()
    assert SavedView.objects.get().query == "channel=sms"
    assert view_events()[1:] == [
        ("view.change", "denied", "operator"),
        ("view.unshare", "denied", "operator"),
    ]


def test_views_that_are_not_shared_are_nobody_elses(client_of):
    view = save(client_of("viewer"))
    admin = client_of("admin")

    assert share(admin, view).status_code == 404
    assert make_default(admin, view).status_code == 404


def test_replacing_and_deleting_a_shared_view_are_recorded(client_of):
    owner = client_of("operator")
    view = save(owner)
    share(owner, view)

    save(owner, query="channel=web")
    payload = AuditEvent.objects.latest("seq").payload
    assert (payload.before["Channel"], payload.after["Channel"]) == ("sms", "web")
    owner.post(f"/flows/views/{view.pk}/remove/")

    assert [action for action, *_ in view_events()] == ["view.share", "view.change", "view.unshare"]
    assert not SavedView.objects.exists()


def test_view_is_not_shared_if_that_cannot_be_recorded(client_of, monkeypatch):
    def refuse(_log, **_event):
        raise audit_log.NotRecorded("full")

    owner = client_of("operator")
    view = save(owner)
    monkeypatch.setattr(audit_log.LogTransaction, "append", refuse)

    assert share(owner, view).status_code == 503
    assert not SavedView.objects.get().is_shared


def test_view_that_was_shared_meanwhile_is_not_shared_again(client_of, actor):
    save(client_of("operator"))
    first, second = SavedView.objects.get(), SavedView.objects.get()

    saved_views.set_shared(first, actor, is_shared=True)
    saved_views.set_shared(second, actor, is_shared=True)

    assert view_events() == [("view.share", "succeeded", "omar")]


def test_deleting_a_view_that_was_shared_meanwhile_is_recorded(client_of, actor):
    view = save(client_of("operator"))
    share(client_of("operator"), view)
    assert not view.is_shared

    saved_views.delete_view(view, actor)

    assert not SavedView.objects.exists()
    assert view_events()[1:] == [("view.unshare", "succeeded", "omar")]


def test_sharing_or_deleting_a_view_that_was_deleted_meanwhile_is_no_event(client_of, actor):
    view = save(client_of("operator"))
    SavedView.objects.all().delete()

    saved_views.set_shared(view, actor, is_shared=True)
    saved_views.delete_view(view, actor)

    assert view_events() == []


def test_replacing_a_view_that_is_shared_meanwhile_is_recorded(client_of, actor, monkeypatch):
    view = save(client_of("operator"))
    lock_log = audit_log.transaction

    def share_before_lock():
        SavedView.objects.update(is_shared=True)
        return lock_log()

    monkeypatch.setattr(audit_log, "transaction", share_before_lock)
    saved_views.save_view(user=view.person, name="SMS", query="channel=web", actor=actor)

    assert view_events() == [("view.change", "succeeded", "omar")]


def test_view_of_another_user_is_not_shared_after_its_owner_stopped_that(client_of, actor):
    view = save(client_of("operator"))
    SavedView.objects.update(is_shared=True)
    view.refresh_from_db()
    SavedView.objects.update(is_shared=False)

    saved_views.set_shared(view, actor, is_shared=True)

    assert not SavedView.objects.get().is_shared


def test_number_of_shared_views_is_limited(client_of, monkeypatch):
    monkeypatch.setattr(saved_views, "MAX_SHARED_VIEWS", 1)
    owner = client_of("operator")
    share(owner, save(owner, "A"))

    share(owner, save(owner, "B"))

    assert [view.name for view in SavedView.objects.filter(is_shared=True)] == ["A"]


def test_shared_view_shows_no_more_than_the_user_may_see(client, client_of, person, staging):
    staging.add_flow(friendly_name="Only in staging", channel_type="sms")
    sync_account(STAGING)
    owner = client_of("operator")
    share(owner, save(owner, "All SMS"))
    share(owner, save(owner, "Staging", f"account={STAGING}"))
    client.force_login(person("viewer", account_sid=ACCOUNT))

    page = client.get("/flows/?channel=sms")

    assert [view.name for view in page.context["views"]] == ["All SMS"]
    assert page.context["results"].total == 0
    assert STAGING not in page.content.decode()


# The default view


def test_list_without_a_query_opens_the_default_view(client_of, flow_sid):
    client = client_of("viewer")
    view = save(client, query="channel=web")

    make_default(client, view)

    assert client.get("/flows/")["Location"] == "/flows/?channel=web"
    page = client.get("/flows/?channel=web")
    html = squeezed(page.content.decode())
    assert "your default" in html
    assert '<a class="clear" href="/flows/?view=all">Show all flows</a>' in html
    assert page.context["results"].total == 0
    assert client.get("/flows/?view=all").context["results"].total == 1
    assert client_of("operator").get("/flows/").status_code == 200


def test_no_link_of_the_list_leads_to_the_default_view_by_accident(client_of, flow_sid):
    client = client_of("viewer")
    make_default(client, save(client))

    page = client.get("/flows/?channel=sms")

    assert page.context["chips"][0]["remove_url"] == "?view=all"
    assert page.context["clear_url"] == "/flows/?view=all"
    assert "view=all" in page.context["columns"][0]["url"]
    assert 'name="view" value="all" form="filters"' in page.content.decode()


def test_default_view_is_stopped_and_is_no_event(client_of):
    client = client_of("viewer")
    view = save(client)
    make_default(client, view)

    make_default(client, view, "false")

    assert client.get("/flows/").status_code == 200
    assert view_events() == []


def test_deleted_or_unshared_default_view_opens_the_whole_list(client_of):
    owner, viewer = client_of("operator"), client_of("viewer")
    view = save(owner)
    share(owner, view)
    make_default(viewer, view)
    make_default(owner, view)
    assert viewer.get("/flows/").status_code == 302

    share(owner, view, "false")
    assert viewer.get("/flows/").status_code == 200
    owner.post(f"/flows/views/{view.pk}/remove/")
    assert owner.get("/flows/").status_code == 200


def test_fragment_of_htmx_is_never_the_default_view(client_of, flow_sid):
    client = client_of("viewer")
    make_default(client, save(client, query="channel=web"))

    page = client.get("/flows/", headers={"HX-Request": "true"})

    assert page.context["results"].total == 1


def test_saved_view_never_contains_the_marker_of_the_whole_list(client_of):
    assert save(client_of("viewer"), query="channel=sms&view=all").query == "channel=sms"


def test_unknown_view_is_an_error(client_of, flow_sid):
    page = client_of("viewer").get("/flows/?view=everything")

    assert "“everything” is not a view." in page.content.decode()
    assert page.context["results"].total == 0
