namespace StickyWs.Configuration;

/// <summary>ASP.NET Core SignalR and Blazor Server, every transport. Nothing to set.</summary>
public sealed class SignalRAffinityOptions;
