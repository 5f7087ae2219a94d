namespace StickyWs.Backends;

/// <summary>What a client gets with its backend's answer.</summary>
/// <param name="SetCookie">The value of a <c>Set-Cookie</c>, or none.</param>
/// <param name="Backend">The value of <c>StickyWs-Backend</c>, or none.</param>
internal readonly record struct ClientMarks(string? SetCookie, string? Backend)
{
    public const string BackendHeader = "StickyWs-Backend";
}
