using Microsoft.Extensions.Options;
using StickyWs.Configuration;

namespace StickyWs.Binding;

/// <summary>
/// Stops the start because of errors that were already logged one by one. The host and the runtime print this exception, too, so it does not repeat
/// them.
/// </summary>
internal sealed class LoggedOptionsException(string[] failures) : OptionsValidationException(Options.DefaultName, typeof(StickyWsOptions), failures)
{
    public override string Message => $"The configuration of StickyWs is invalid; see the log for its errors ({failures.Length}).";
}
