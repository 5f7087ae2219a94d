using Microsoft.Extensions.Options;
using StickyWs.Configuration;

namespace StickyWs.Binding;

/// <summary>
/// Stops the start because of errors that were logged one by one: the host and the runtime print the exception, too, and are not to repeat them.
/// </summary>
internal sealed class LoggedOptionsException(string[] failures) : OptionsValidationException(Options.DefaultName, typeof(StickyWsOptions), failures)
{
    public override string Message => $"The configuration of StickyWs is not valid; the log has a line for each error ({failures.Length}).";
}
