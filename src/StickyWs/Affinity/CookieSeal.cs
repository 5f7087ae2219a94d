namespace StickyWs.Affinity;

/// <summary>Encrypts and authenticates the content of a cookie, as text that a cookie may hold. Thread-safe.</summary>
internal abstract class CookieSeal
{
    /// <summary>The longest text that is accepted.</summary>
    public const int LongestText = 1024;

    /// <returns><see langword="null"/> when nothing can be sealed at the moment.</returns>
    public abstract string? Seal(ReadOnlySpan<byte> content);

    /// <param name="text">What a client sent.</param>
    /// <param name="content">Takes the content.</param>
    /// <param name="isOld">Whether a newer key seals now.</param>
    /// <returns>The length of the content; -1 for anything not sealed here with a key that is still valid.</returns>
    public abstract int Open(ReadOnlySpan<byte> text, Span<byte> content, out bool isOld);
}
