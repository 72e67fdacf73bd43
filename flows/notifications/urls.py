"""URLs of notifications, under /notifications/."""

from django.urls import path

from flows.notifications import views

app_name = "notifications"
urlpatterns = [
    path("", views.subscription_list, name="list"),
    path("new/", views.subscription_new, name="new"),
    path("<int:subscription_id>/", views.subscription_detail, name="detail"),
    path("<int:subscription_id>/edit/", views.subscription_edit, name="edit"),
    path("<int:subscription_id>/act/", views.subscription_act, name="act"),
    path("<int:subscription_id>/<uuid:message_id>/replay/", views.message_replay, name="replay"),
]
