namespace StickyWs.Backends;

/// <summary>What a client gets with its backend's response.</summary>
/// <param name="SetCookie">The value of a <c>Set-Cookie</c>, or none.</param>
/// <param name="Backend">The value of <c>StickyWs-Backend</c>, or none.</param>
internal readonly record struct ClientMarks(string? SetCookie, string? Backend)
{
    public const string BackendHeader = "StickyWs-Backend";

    /// <summary>Adds the corresponding headers to a response.</summary>
    public T AddTo<T>(T answer, int status, Func<T, string, string, T> add)
    {
        if (SetCookie is not null)
        {
            answer = add(answer, "Set-Cookie", SetCookie);
            // A shared cache would give one client's cookie to all (RFC 9111 section 7.3). No cache stores a 101.
            if (status != 101) answer = add(answer, "Cache-Control", "private");
        }

        return Backend is null ? answer : add(answer, BackendHeader, Backend);
    }
}
