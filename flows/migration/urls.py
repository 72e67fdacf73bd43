"""URLs of the migration, under /migration/: the board, a flow's page, its steps, and what users do."""

from django.urls import path

from flows import converters  # noqa: F401 - registers what the patterns use
from flows.migration.views import actions, board, flow, starting, steps

app_name = "migration"
urlpatterns = [
    path("", board.migration_board, name="board"),
    path("prepare/", starting.prepare, name="prepare"),
    path("switch/", starting.switch, name="switch"),
    path("<flex_flow_sid:sid>/", flow.migration_flow, name="flow"),
    path("<flex_flow_sid:sid>/steps/", steps.steps, name="steps"),
    path("<flex_flow_sid:sid>/verify/", actions.verify, name="verify"),
    path("<flex_flow_sid:sid>/rollback/", actions.roll_back, name="rollback"),
    path("<flex_flow_sid:sid>/delete/", actions.delete, name="delete"),
    path("<flex_flow_sid:sid>/resume/", actions.resume, name="resume"),
    path("<flex_flow_sid:sid>/close/", actions.close, name="close"),
    path("<flex_flow_sid:sid>/stop/", actions.stop, name="stop"),
]
