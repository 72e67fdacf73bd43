"""URLs of schedules, under `/schedules/`. Those of a flow's forms are in flows/urls.py."""

from django.urls import path

from flows.schedules.views import schedules

app_name = "schedules"
urlpatterns = [
    path("", schedules.schedule_list, name="list"),
    path("<uuid:request_id>/", schedules.schedule_form, name="form"),
    path("<uuid:request_id>/cancel/", schedules.schedule_cancel, name="cancel"),
]
