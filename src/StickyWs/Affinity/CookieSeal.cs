namespace StickyWs.Affinity;

/// <summary>Encrypts and authenticates what is in a cookie, as text that a cookie may hold. For many threads at once.</summary>
internal abstract class CookieSeal
{
    /// <summary>The longest text that is looked at.</summary>
    public const int LongestText = 1024;

    /// <returns><see langword="null"/> when nothing can be sealed at the moment.</returns>
    public abstract string? Seal(ReadOnlySpan<byte> content);

    /// <param name="text">What a client sent.</param>
    /// <param name="content">Takes the content.</param>
    /// <param name="isOld">Whether another key seals by now.</param>
    /// <returns>The length of the content; -1 for anything that was not sealed here, by a key that still counts.</returns>
    public abstract int Open(ReadOnlySpan<byte> text, Span<byte> content, out bool isOld);
}
