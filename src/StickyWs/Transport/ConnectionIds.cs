using System.Diagnostics;

namespace StickyWs.Transport;

/// <summary>Creates connection ids like Kestrel's: 13 characters, unique also across restarts of the process.</summary>
internal static class ConnectionIds
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
    private const int Length = 13;
    private const int BitsPerDigit = 5;

    private static long _last = Stopwatch.GetTimestamp() ^ ((long)Environment.ProcessId << 40);

    public static string Next() => string.Create(Length, (ulong)Interlocked.Increment(ref _last), static (text, number) =>
    {
        for (var i = text.Length - 1; i >= 0; i--)
        {
            text[i] = Digits[(int)(number & (ulong)(Digits.Length - 1))];
            number >>= BitsPerDigit;
        }
    });
}
