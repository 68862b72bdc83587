-- The file that spec/support/apply_killed.lua applies.
local URL = "https://company.example/flex/events"

return {
  owner = "teamA",
  { friendly_name = "teamA/all", webhook_url = URL, webhook_events = { "*" } },
  { friendly_name = "teamA/own", type = "global", webhook_url = URL .. "/own",
    webhook_events = { "onChannelCreated" } },
  { friendly_name = "teamA/left", webhook_url = URL .. "/left",
    webhook_method = "GET", webhook_events = { "onParticipantLeft" } },
}
