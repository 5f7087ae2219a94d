using System.Diagnostics;
using System.Globalization;
using System.Text;
using StickyWs.Http1;

namespace StickyWs.Access;

/// <summary>
/// The trace that a client's request belongs to, by the rules of W3C Trace Context: one valid <c>traceparent</c>, or none. What is faulty, or there twice,
/// counts as missing, and the <c>tracestate</c> with it.
/// </summary>
internal static class TraceParent
{
    public const string Header = "traceparent";
    public const string StateHeader = "tracestate";

    // Section 3.2: 00-<32 hex>-<16 hex>-<2 hex>. Later versions may add more after another dash.
    private const int Length = 55;
    private const int TraceIdAt = 3;
    private const int TraceIdLength = 32;
    private const int SpanIdAt = 36;
    private const int SpanIdLength = 16;
    private const int FlagsAt = 53;

    // Sections 3.3.1.1 and 3.3.1.5: what has to be passed on, and what a list may hold.
    private const int LongestState = 512;
    private const int MostMembers = 32;
    private const int LongestPart = 256;

    /// <summary>The trace's id; 0 if the request belongs to none.</summary>
    public static UInt128 IdOf(RequestHead head)
        => TryFind(head, out var value) ? UInt128.Parse(value.Slice(TraceIdAt, TraceIdLength), NumberStyles.HexNumber, CultureInfo.InvariantCulture) : default;

    /// <summary>The client's span; default if there is none.</summary>
    public static ActivityContext Read(RequestHead head)
    {
        if (!TryFind(head, out var value)) return default;
        var flags = (HexValue(value[FlagsAt + 1]) & 1) != 0 ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None;
        return new ActivityContext(
            ActivityTraceId.CreateFromUtf8String(value.Slice(TraceIdAt, TraceIdLength)),
            ActivitySpanId.CreateFromUtf8String(value.Slice(SpanIdAt, SpanIdLength)),
            flags, StateOf(head), isRemote: true);
    }

    /// <summary>Whether a value of the header is valid.</summary>
    public static bool IsValid(ReadOnlySpan<byte> value)
    {
        if (value.Length < Length || value[2] != '-' || value[TraceIdAt + TraceIdLength] != '-' || value[SpanIdAt + SpanIdLength] != '-') return false;
        var version = value[..2];
        if (!IsHex(version) || version.SequenceEqual("ff"u8)) return false;
        if (value.Length > Length && (version.SequenceEqual("00"u8) || value[Length] != '-')) return false;
        var trace = value.Slice(TraceIdAt, TraceIdLength);
        var span = value.Slice(SpanIdAt, SpanIdLength);
        return IsHex(trace) && IsHex(span) && IsHex(value.Slice(FlagsAt, 2)) && trace.ContainsAnyExcept((byte)'0') && span.ContainsAnyExcept((byte)'0');
    }

    private static bool TryFind(RequestHead head, out ReadOnlySpan<byte> value)
    {
        value = default;
        var isFound = false;
        var headers = head.ReadHeaders();
        while (headers.Read())
        {
            if (!HeaderNames.Is(headers.Name, Header)) continue;
            if (isFound) return false; // Nobody knows which of them is meant.
            isFound = true;
            value = headers.Value;
        }

        return isFound && IsValid(value);
    }

    // A list that is faulty anywhere is dropped. One that is too long loses members from its end, where the oldest are.
    private static string? StateOf(RequestHead head)
    {
        StringBuilder? state = null;
        var count = 0;
        var headers = head.ReadHeaders();
        while (headers.Read())
        {
            if (!HeaderNames.Is(headers.Name, StateHeader)) continue;
            var line = headers.Value;
            foreach (var range in line.Split((byte)','))
            {
                var member = line[range].Trim(" \t"u8);
                if (member.IsEmpty) continue;
                if (!IsMember(member)) return null;
                state ??= new StringBuilder();
                if (++count > MostMembers || state.Length + member.Length + 1 > LongestState) return state.ToString();
                if (state.Length > 0) state.Append(',');
                state.Append(Encoding.ASCII.GetString(member));
            }
        }

        return state?.ToString();
    }

    private static bool IsMember(ReadOnlySpan<byte> member)
    {
        var equals = member.IndexOf((byte)'=');
        if (equals is <= 0 or > LongestPart || member.Length - equals - 1 is <= 0 or > LongestPart) return false;
        foreach (var next in member[..equals])
        {
            if (!char.IsAsciiLetterLower((char)next) && !char.IsAsciiDigit((char)next) && !"_-*/@"u8.Contains(next)) return false;
        }

        return !member[(equals + 1)..].ContainsAnyExceptInRange((byte)' ', (byte)'~') && !member[(equals + 1)..].Contains((byte)'=');
    }

    private static bool IsHex(ReadOnlySpan<byte> text)
    {
        foreach (var next in text)
        {
            if (!char.IsAsciiHexDigitLower((char)next)) return false;
        }

        return true;
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : digit - 'a' + 10;
}
