"""Django admin with one model: flows, with the columns, filters and search of the site's list."""

from django.contrib import admin
from django.urls import path

from flows.flex_flows.handlers import describe_handler
from flows.mirror.models import Flow


class FlowAdmin(admin.ModelAdmin):
    list_display = (
        "friendly_name",
        "channel_type",
        "contact_identity",
        "handled_by",
        "enabled",
        "date_updated",
    )
    list_filter = ("channel_type", "integration_type", "enabled")
    search_fields = ("sid", "name_folded", "identity_folded")
    ordering = ("name_folded", "sid")
    list_per_page = 50

    @admin.display(ordering="integration_type")
    def handled_by(self, flow: Flow) -> str:
        return describe_handler(flow)


admin.site.register(Flow, FlowAdmin)
urlpatterns = [path("admin/", admin.site.urls)]
