namespace StickyWs.Tests.Dispatch;

/// <summary>By what a client comes back to its backend.</summary>
public enum Way
{
    Cookie,
    Pin,
    Hash,
}
