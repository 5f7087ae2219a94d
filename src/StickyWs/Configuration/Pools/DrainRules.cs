using System.Text;

namespace StickyWs.Configuration;

/// <summary>Validation of <see cref="DrainOptions"/>, and of all Close frames that the balancer may send.</summary>
internal static class DrainRules
{
    // A control frame carries 125 bytes at most (RFC 6455 section 5.5), two of them the code.
    private const int LongestReason = 123;

    public static void Check(string key, DrainOptions drain, List<string> errors)
    {
        if (drain.Deadline >= TimeSpan.Zero && drain.Deadline < drain.Over)
        {
            errors.Add(OptionsError.Of(
                $"{key}:Deadline", Text(drain.Deadline.Value), $"use at least {Text(drain.Over)}, which is Over, or none"));
        }

        CheckClose(key, drain.CloseCode, drain.CloseReason, errors);
    }

    /// <summary>Checks <c>CloseCode</c> and <c>CloseReason</c> of a section.</summary>
    public static void CheckClose(string key, int code, string reason, List<string> errors)
    {
        // What no endpoint may send (RFC 6455 section 7.4.1), or nobody has given a meaning. The range reports what is beyond it.
        if (code is 1004 or 1005 or 1006 or (> 1014 and < 3000))
            errors.Add(OptionsError.Of($"{key}:CloseCode", $"{code}", "use a code that may be sent: 1000 to 1003, 1007 to 1014, or 3000 to 4999"));
        if (Encoding.UTF8.GetByteCount(reason) > LongestReason)
            errors.Add(OptionsError.Of($"{key}:CloseReason", reason, $"use at most {LongestReason} bytes of UTF-8"));
    }

    private static string Text(TimeSpan time) => time.ToString("c", System.Globalization.CultureInfo.InvariantCulture);
}
