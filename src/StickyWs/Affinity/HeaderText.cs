namespace StickyWs.Affinity;

/// <summary>A backend's name as a header may hold it: what is not a letter, digit or one of <c>-._~</c> is percent-encoded.</summary>
internal static class HeaderText
{
    public static string Of(string name) => Uri.EscapeDataString(name);
}
