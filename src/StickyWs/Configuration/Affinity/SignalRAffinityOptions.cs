namespace StickyWs.Configuration;

/// <summary>ASP.NET Core SignalR and Blazor Server, all transports. There is nothing to set.</summary>
public sealed class SignalRAffinityOptions;
